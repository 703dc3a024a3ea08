"""The stack of `Pulumi.custom.yaml`, which uses every setting of the server: what it deploys, and no secret value in clear.

Not in the engine's state, its backups, logs, previews, process arguments or files.
"""

import json
from collections.abc import Iterator

import pytest
import yaml

from components.configuration import checkout
from sandbox.attack import other_accounts
from sandbox.attack.row import Row, Verdict, run
from sandbox.attack.target import Target
from sandbox.testbed.containers.targets import idle_timeout
from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.sampling import sampled
from tests.sandbox.harness import Scratch, own_processes


def _values(scratch: Scratch) -> set[str]:
    """Every secret value of the deployment: what Secrets Manager holds, and the passphrase."""
    client = scratch.sandbox().aws.client("secretsmanager")
    values = {(scratch.state / "passphrase").read_text()}
    for secret in client.list_secrets()["SecretList"]:
        # The App's secret is empty until an operator fills it.
        value = client.get_secret_value(SecretId=secret["ARN"]).get("SecretString", "{}")
        values |= set(json.loads(value).values())
    return values


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    scratch = Scratch(tmp_path_factory.mktemp("custom"), "custom")
    yield scratch
    scratch.stop()


@pytest.fixture(scope="module")
def watched(custom: Scratch) -> tuple[Scratch, set[str], str]:
    """The stack deployed, previewed and changed; the scratch folder, the arguments seen, and all that was shown."""
    sandbox = custom.sandbox()
    with sampled(lambda: {command for _, command in own_processes(custom.base)}, seconds=0.05) as commands:
        sandbox.up()
        changed = custom.sandbox(webhookSecretGeneration=2)
        changed.up()
    shown = "".join(
        answer.stdout + answer.stderr
        for answer in (custom.cli("preview"), custom.cli("refresh"), custom.cli("outputs"))
    )
    return custom, set().union(*commands), shown


@pytest.mark.usefixtures("watched")
def test_every_setting_of_the_server_is_deployed(custom: Scratch):
    sandbox = custom.sandbox()
    (balancer,) = sandbox.aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    (file_system,) = sandbox.aws.client("efs").describe_file_systems()["FileSystems"]
    task = sandbox.aws.client("ecs").describe_task_definition(taskDefinition="atlantis-custom")["taskDefinition"]
    server = next(container for container in task["containerDefinitions"] if container["name"] == "atlantis")
    variables = {item["name"]: item["value"] for item in server["environment"]}
    rules = json.loads(variables["ATLANTIS_REPO_CONFIG_JSON"])
    policy = json.dumps(
        [item["inputs"]["policy"] for item in sandbox.resources() if item["type"] == "aws:iam/policy:Policy"]
    )

    assert balancer["Scheme"] == "internal"
    assert idle_timeout(sandbox.aws.client("elbv2"), balancer["LoadBalancerName"]) == 1800
    assert file_system["ThroughputMode"] == "elastic"
    assert task["ephemeralStorage"] == {"sizeInGiB": 40}
    assert server["stopTimeout"] == 90
    assert variables["ATLANTIS_PARALLEL_PLAN"] == "true"
    own = yaml.safe_load((CHECKOUT / "examples" / "repos.yaml").read_text(encoding="utf-8"))
    assert rules == checkout.with_commit_check(own)
    assert {"REGISTRY_TOKEN", "ATLANTIS_API_SECRET"} <= {item["name"] for item in server["secrets"]}
    assert "arn:aws:iam::210987654321:role/terraform" in policy
    assert sandbox.compare().describe() == ""


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("row", [row for row in other_accounts.ROWS if not row.isolation], ids=lambda row: row.name)
def test_roles_of_other_accounts_can_be_assumed_by_the_list_only(custom: Scratch, row: Row):
    result = run(row, Target.of(custom.sandbox()))
    assert result.verdict in {Verdict.REFUSED, Verdict.SKIPPED}, result
    assert "npm" in result.attempt if result.verdict is Verdict.SKIPPED else "Implicit" in result.attempt, result


def test_there_is_something_to_find(watched: tuple[Scratch, set[str], str]):
    scratch, seen, shown = watched

    assert all(len(value) >= 20 for value in _values(scratch))
    # The webhook's, the page's, the registry's and the API's, and the passphrase.
    assert len(_values(scratch)) >= 5
    assert any("pulumi" in command for command in seen)
    assert "atlantis_url" in shown


def test_the_exported_state_the_shown_output_and_the_arguments_of_processes_have_none(
    watched: tuple[Scratch, set[str], str],
):
    scratch, seen, shown = watched
    values, state = _values(scratch), json.dumps(scratch.sandbox().export())

    assert [value for value in values if value in state] == []
    assert [value for value in values if value in shown] == []
    assert [command for command in seen if any(value in command for value in values)] == []


def test_no_file_of_the_sandbox_has_one(watched: tuple[Scratch, set[str], str]):
    scratch, _, _ = watched
    values = [value.encode() for value in _values(scratch)]
    # The local AWS' own store is Secrets Manager; the passphrase's file is the passphrase.
    store = scratch.state / "local-aws" / "services"
    files = [path for path in scratch.state.rglob("*") if path.is_file() and store not in path.parents]

    assert [path for path in files if any(value in path.read_bytes() for value in values)] == [
        scratch.state / "passphrase"
    ]


def test_what_holds_secrets_is_for_its_owner_only(watched: tuple[Scratch, set[str], str]):
    scratch, _, _ = watched

    assert scratch.state.stat().st_mode & 0o077 == 0
    assert (scratch.state / "passphrase").stat().st_mode & 0o077 == 0
    assert (scratch.state / "local-aws").stat().st_mode & 0o077 == 0
