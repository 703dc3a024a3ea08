"""The server's own configuration on the real server: the files of the program's settings, a second account, the idle timeout."""

import json
import random
import zipfile
from pathlib import Path
from platform import machine
from typing import BinaryIO
from urllib.parse import urlsplit

import pytest

from components.configuration import repo_configuration, server_configuration
from components.permissions import task_role
from preflight import trust_policy
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.deployed_service import Credentials
from sandbox.testbed.github.store import Store
from sandbox.testbed.paths import CHECKOUT, private_directory
from tests.needs import needs
from tests.sandbox.atlantis.conftest import eventually, open_websocket, status
from tests.sandbox.atlantis.local_service import NAME, OWNER, LocalService
from tests.sandbox.atlantis.pull_requests import RESOURCE, comment, open_with_files, send

pytestmark = needs("terraform")

_OTHER_ACCOUNT = "210987654321"
_OTHER_BUCKET = "state-of-the-other-account"
_EXTERNAL_ID = "atlantis-local"
_QUIET_SECONDS = 5
# Each project waits for the other one's beginning, so that one after the other they would both fail.
_MEET = (
    'touch "../began-$(basename "$PWD")"; for _ in $(seq 300); do '
    "[ -e ../began-one ] && [ -e ../began-two ] && exit 0; sleep 0.1; done; echo 'the other project has not begun'; exit 1"
)
_EXAMPLES = CHECKOUT / "examples"
_INIT_IN_TURN = repo_configuration.load(str(_EXAMPLES / "repos.yaml"))["workflows"]["cached"]["plan"]["steps"][0]["run"]
_REPOS = f"""
repos:
  - id: /.*/
    branch: /^master$/
    autodiscover: {{ignore_paths: [modules/**]}}
    apply_requirements: [approved, mergeable, undiverged]
    import_requirements: [approved, mergeable, undiverged]
  - id: github.com/{OWNER}/together
    workflow: together
  - id: github.com/{OWNER}/cached
    workflow: cached
  - id: github.com/{OWNER}/quiet
    workflow: quiet
workflows:
  together:
    plan:
      steps:
        - run: {json.dumps(_MEET)}
        - init
        - plan
  cached:
    plan:
      steps:
        - run: {json.dumps(_MEET)}
        - run: {json.dumps(_INIT_IN_TURN)}
        - run: terraform providers && echo "$DIR has a sound provider"
  quiet:
    plan:
      steps:
        - run: echo the log begins
        - run: sleep {_QUIET_SECONDS}; echo spoke again
        - init
        - plan
"""
_BACKEND = """
terraform {{
  backend "s3" {{
    bucket = "{bucket}"
    key    = "terraform.tfstate"
    region = "ap-northeast-2"
    assume_role = {{ role_arn = "{role}", external_id = "{external_id}" }}
  }}
}}
"""
_PROVIDER = """
terraform {
  required_providers {
    large = { source = "registry.example/sandbox/large", version = "1.0.0" }
  }
}
"""


def _role(name: str) -> str:
    return f"arn:aws:iam::{_OTHER_ACCOUNT}:role/{name}"


@pytest.fixture(scope="module")
def provider() -> bytes:
    """A provider's executable, large enough for two installations of it to meet."""
    return b"#!/bin/sh\n" + random.Random(1).randbytes(30_000_000)  # noqa: S311 - no secret


def _data(local: LocalService) -> tuple[Path, Path]:
    """The data directory on this machine, and as the task sees it."""
    volume = local.volume["efsVolumeConfiguration"]["fileSystemId"]
    here = private_directory(local.deployment.state / "efs" / volume / "atlantis-data")
    return here, here if bubblewrap.why_not() else Path(local.container["mountPoints"][0]["containerPath"])


@pytest.fixture(scope="module")
def terraform_configuration(local: LocalService, provider: bytes) -> str:
    """The path of Terraform's own configuration, with a mirror that has the provider as a registry has it: as an archive.

    Both are on the volume: a task in containers sees nothing else of this machine that a test could write.
    """
    here, seen = _data(local)
    platform = {"x86_64": "amd64", "aarch64": "arm64"}[machine()]
    folder = here / "mirror" / "registry.example" / "sandbox" / "large"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"terraform-provider-large_1.0.0_linux_{platform}.zip", "w") as archive:
        executable = zipfile.ZipInfo("terraform-provider-large_v1.0.0")
        executable.external_attr = 0o755 << 16
        archive.writestr(executable, provider)
    text = f'provider_installation {{\n  filesystem_mirror {{ path = "{seen / "mirror"}" }}\n}}\n'
    (here / "terraform.tfrc").write_text(text, encoding="utf-8")
    return str(seen / "terraform.tfrc")


@pytest.fixture(scope="module")
def configured(
    local: LocalService, terraform_configuration: str, tmp_path_factory: pytest.TempPathFactory
) -> LocalService:
    """The task with the example's flags and the rules above."""
    rules = tmp_path_factory.mktemp("rules") / "repos.yaml"
    rules.write_text(_REPOS, encoding="utf-8")
    flags = server_configuration.load(str(_EXAMPLES / "server.yaml"))
    variables = server_configuration.environment(flags) | {
        "ATLANTIS_REPO_CONFIG_JSON": json.dumps(repo_configuration.as_json_names(repo_configuration.load(str(rules)))),
        "TF_CLI_CONFIG_FILE": terraform_configuration,
    }
    local.run_with(variables)
    return local


@pytest.fixture
def github(configured: LocalService) -> Store:
    return Store(configured.deployment.state / "github")


@pytest.fixture(scope="module")
def other_account(configured: LocalService) -> LocalService:
    """Two roles that trust the task role, of which its policy names one, and a bucket, in another account."""
    root = Credentials(_OTHER_ACCOUNT, "test")
    iam, s3 = (configured.deployment.client(service, root) for service in ("iam", "s3"))
    s3.create_bucket(Bucket=_OTHER_BUCKET, CreateBucketConfiguration={"LocationConstraint": configured.aws.region})
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    trust = trust_policy.document(configured.roles["task"], _EXTERNAL_ID)
    for name in ("terraform", "administrator"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_role_policy(RoleName=name, PolicyName="state", PolicyDocument=document)
    document = json.dumps({"Version": "2012-10-17", "Statement": task_role.assume_roles([_role("terraform")])})
    configured.aws.client("iam").put_role_policy(
        RoleName=configured.roles["task"].rpartition("/")[2], PolicyName="assume", PolicyDocument=document
    )
    return configured


def test_a_workflow_of_the_file_runs_for_two_projects_side_by_side(configured: LocalService, github: Store) -> None:
    files = {f"{folder}/main.tf": RESOURCE for folder in ("one", "two", "modules/ignored")}
    pull = open_with_files(github, "together", files)
    send(configured, github, pull)
    plan = comment(github, pull, "Ran Plan for 2 projects:")
    assert plan.count("Plan: 1 to add, 0 to change, 0 to destroy.") == 2, plan


def test_projects_that_fill_the_plugin_cache_at_once_share_one_sound_provider(
    configured: LocalService, github: Store, provider: bytes
) -> None:
    here, seen = _data(configured)
    pull = open_with_files(github, "cached", {"one/main.tf": _PROVIDER, "two/main.tf": _PROVIDER})
    send(configured, github, pull)
    plan = comment(github, pull, "Ran Plan for 2 projects:")
    assert plan.count(" has a sound provider") == 2, plan

    (cached,) = (here / "shared-plugins").rglob("terraform-provider-large*")
    packages = list(
        (here / "repos" / OWNER / "cached").glob("**/.terraform/providers/registry.example/sandbox/large/*/*")
    )
    # Terraform links the packages to the cache, by the cache's path in the task.
    assert [package.readlink() for package in packages] == 2 * [seen / cached.parent.relative_to(here)]
    assert cached.read_bytes() == provider


@pytest.mark.parametrize(
    ("role", "external_id", "expected"),
    [
        ("terraform", _EXTERNAL_ID, "Plan: 1 to add, 0 to change, 0 to destroy."),
        # In the list of the stack, and the role's own trust policy refuses.
        ("terraform", "somebody-else", "AccessDenied"),
        # Its trust policy admits the task role, and the stack doesn't.
        ("administrator", _EXTERNAL_ID, "AccessDenied"),
    ],
)
def test_terraform_assumes_the_named_role_of_another_account_and_no_other(
    other_account: LocalService, github: Store, role: str, external_id: str, expected: str
) -> None:
    backend = _BACKEND.format(bucket=_OTHER_BUCKET, role=_role(role), external_id=external_id)
    pull = open_with_files(github, f"{role}-{external_id}", {"main.tf": backend + RESOURCE})
    send(other_account, github, pull)
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert expected in plan, plan


def _set_idle_timeout(local: LocalService, seconds: int) -> None:
    client = local.aws.client("elbv2")
    arn = client.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    client.modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": str(seconds)}]
    )


def test_a_live_log_that_is_quiet_for_longer_than_the_idle_timeout_is_cut(
    configured: LocalService, github: Store
) -> None:
    before = len(github.recorded("statuses"))
    pull = open_with_files(github, "quiet", {"main.tf": RESOURCE})
    _set_idle_timeout(configured, 2)
    send(configured, github, pull)

    def listen() -> BinaryIO | None:
        """Open the live log, which is there from the first line on."""
        links = [entry["target_url"] or "" for entry in github.recorded("statuses")[before:]]
        path = next((path for link in links if (path := urlsplit(link).path).startswith("/jobs/")), None)
        code, output = open_websocket(f"http://127.0.0.1:{status(configured).proxy_port}", f"{path}/ws")
        return output if code == 101 else output.close()

    with eventually("the first log", listen) as cut:
        # A change of the timeout is for new connections.
        _set_idle_timeout(configured, 20 * _QUIET_SECONDS)
        with eventually("the second log", listen) as kept:
            whole = kept.read()
        part = cut.read()
    assert b"the log begins" in part
    assert b"spoke again" not in part
    assert b"spoke again" in whole
    assert b"1 to add, 0 to change, 0 to destroy." in whole
