"""`serverConfigFile`, `serverSecrets` and `secretEnvironment`: which flags are accepted, and how they reach the server."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.configuration import server_configuration as configuration
from sandbox.atlantis import build
from tests.unit.recording import ACCOUNT, LOCAL, REGION
from tests.unit.stacks import stack

ROOT = Path(__file__).parents[2]


def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, **changes: Any) -> list[str]:
    """The problems of a stack whose server configuration has this text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(LOCAL | {"serverConfigFile": "server.yaml"} | changes, stack="prod", region=REGION)
    return refused.value.problems


def test_the_flags_are_those_of_the_pinned_server() -> None:
    assert build.version() == configuration.VERSION, "python -m sandbox.atlantis.flags"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("parallel-plans: true", "Atlantis v0.47.1 has no such flag; did you mean parallel-plan?"),
        ("parallel_plan: true", "did you mean parallel-plan?"),
        ("colour: blue", "colour: Atlantis v0.47.1 has no such flag"),
        ("parallel-plan: true", "set use-tf-plugin-cache to false, or to true where every workflow's init takes turns"),
        ("parallel-apply: true", "corrupt the plugin cache"),
        ("parallel-plan: 'yes'", "parallel-plan = 'yes': must be true or false"),
        ("parallel-plan: 1", "parallel-plan = 1: must be true or false"),
        ("allow-commands: plan,destroy", "Atlantis v0.47.1 has no command 'destroy'; list apply, approve_policies"),
        ("allow-commands: plan, apply", "Atlantis v0.47.1 has no command ' apply'"),
        ("parallel-pool-size: many", "parallel-pool-size = 'many': must be an integer"),
        ("parallel-pool-size: true", "parallel-pool-size = True: must be an integer"),
        ("parallel-pool-size: 1.5", "must be an integer"),
        ("checkout-depth: deep", "checkout-depth = 'deep': must be an integer"),
        ("default-tf-version: [1.11.4]", "must be a string"),
        ("allow-commands: true", "allow-commands = True: must be a string"),
        ("port: 4142", "port: the stack sets this flag; set containerPort"),
        ("data-dir: /tmp", "data-dir: the stack sets this flag; it is the mount of the file system"),
        ("atlantis-url: https://x", "set url"),
        ("repo-allowlist: '*'", "set repoAllowlist"),
        ("gh-hostname: x", "set githubHostname"),
        ("gh-app-id: 1", "the secret of githubAppSecretName has it"),
        ("gh-app-key: x", "the secret of githubAppSecretName has it"),
        ("gh-token: x", "set vcsKind github; the secret of vcsTokenSecretName has it"),
        ("locking-db-type: redis", "set lockingDatabase"),
        ("redis-password: x", "lockingPasswordGeneration"),
        ("log-level: debug", "set logLevel"),
        ("repo-config-json: '{}'", "set repoConfigFile"),
        ("web-password: hunter2", "webBasicAuth"),
        (
            "fail-on-pre-workflow-hook-error: false",
            "fail-on-pre-workflow-hook-error = False: must be true, because the stack's check of committed files",
        ),
        ("checkout-strategy: branch", "the requirement undiverged needs"),
        (
            "api-secret: hunter2",
            "api-secret: must not be in a file; store it in Secrets Manager and name it in serverSecrets",
        ),
        ("slack-token: hunter2", "must not be in a file"),
        ('webhook-http-headers: \'{"Authorization": "hunter2"}\'', "must not be in a file"),
        ("default-tf-version: 1.10", 'YAML reads 1.10 as the number 1.1; put it in quotes: "1.10"'),
        (
            "webhooks: [{event: apply, kind: http, url: 'https://hunter2@a.example/'}]",
            "must have no user, password or query",
        ),
        (
            "webhooks: [{event: apply, kind: http, url: 'https://a.example/?sig=hunter2'}]",
            "webhook-http-headers in serverSecrets",
        ),
        ("webhooks: [{event: apply, kind: http, url: 'http://a.example/'}]", "must be https:// on port 443"),
        ("webhooks: [{event: apply, kind: http, url: 'https://a.example:8443/'}]", "must be https:// on port 443"),
        (
            "webhooks: [{event: apply, kind: http, url: 'https://a.example/', branch: main}]",
            "did you mean branch-regex?",
        ),
        ("gitlab-webhook-secret: hunter2", "must not be in a file"),
        ("- parallel-plan", "must be a YAML mapping"),
        ("parallel-plan", "must be a YAML mapping"),
        ("{", "can't be read"),
    ],
)
def test_a_flag_that_is_not_accepted_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    (problem,) = problems(tmp_path, monkeypatch, text)
    assert problem.startswith("serverConfigFile = 'server.yaml': ")
    assert reason in problem
    assert "hunter2" not in problem


def test_a_notification_that_would_never_be_sent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "webhooks: [{event: drift, kind: http, url: 'https://a.example/'}]"
    (problem,) = problems(tmp_path, monkeypatch, text)
    assert problem.startswith("serverConfigFile = 'server.yaml', driftProjects: webhooks for drift are never sent")


def test_every_problem_of_a_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(tmp_path, monkeypatch, "port: 1\n\nparallel-plan: 2\nx: 3\n")
    assert [problem.split(": ")[1] for problem in found] == ["line 1", "line 3", "line 4"]


@pytest.mark.parametrize("cache", ["true", "false"])
def test_parallel_plans_go_with_a_decision_on_the_plugin_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.yaml").write_text(f"parallel-plan: true\nuse-tf-plugin-cache: {cache}\n", encoding="utf-8")
    settings.parse(LOCAL | {"serverConfigFile": "server.yaml"}, stack="prod", region=REGION)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"serverConfigFile": "absent.yaml"}, "can't be read"),
        ({"serverConfigFile": "/etc/server.yaml"}, "must be the path of a YAML file in the repository"),
        ({"serverConfigFile": "../server.yaml"}, "must be the path of a YAML file in the repository"),
        ({"serverConfigFile": "server.json"}, "must be the path of a YAML file in the repository"),
        ({"serverSecrets": ["api-secret"]}, "must be flag=secret:key"),
        ({"serverSecrets": ["parallel-plan=a:b"]}, "is not a secret flag; set it in serverConfigFile"),
        ({"serverSecrets": ["gh-webhook-secret=a:b"]}, "the secret of webhookSecretName has it"),
        ({"serverSecrets": ["api-secrets=a:b"]}, "did you mean api-secret?"),
        (
            {"serverSecrets": ["slack-token=a:b", "slack-token=c:d"]},
            "serverSecrets = 'slack-token': must not be set twice",
        ),
        ({"secretEnvironment": ["TOKEN"]}, "must be NAME=secret:key"),
        ({"secretEnvironment": ["TOKEN=ci"]}, "must be NAME=secret:key"),
        ({"secretEnvironment": ["1TOKEN=ci:key"]}, "must be NAME=secret:key"),
        ({"secretEnvironment": ["ATLANTIS_API_SECRET=ci:key"]}, "names that begin with ATLANTIS_"),
        ({"secretEnvironment": ["AWS_ACCESS_KEY_ID=ci:key"]}, "AWS_"),
        ({"secretEnvironment": ["PATH=ci:key"]}, "PATH"),
        ({"secretEnvironment": ["LD_PRELOAD=ci:key"]}, "LD_"),
        ({"secretEnvironment": ["GIT_CONFIG_COUNT=ci:key"]}, "GIT_CONFIG_"),
        ({"secretEnvironment": ["CHECK_COMMIT=ci:key"]}, "must be NAME=secret:key"),
        ({"secretEnvironment": ["SERVER_NOTIFICATIONS=ci:key"]}, "must be NAME=secret:key"),
        ({"secretEnvironment": ["TOKEN=a:b", "TOKEN=c:d"]}, "secretEnvironment = 'TOKEN': must not be set twice"),
        ({"defaultBranch": "-x"}, "must be the name of a branch"),
        ({"defaultBranch": "a b"}, "must be the name of a branch"),
        ({"assumableRoleArns": ["arn:aws:iam::210987654321:user/x"]}, "must be an ARN such as"),
        ({"ephemeralStorage": 10}, "must be an integer from 20 to 200"),
        ({"stopTimeout": 121}, "must be an integer from 2 to 120"),
        ({"loadBalancerIdleTimeout": 4001}, "must be an integer from 1 to 4000"),
        ({"efsThroughputMode": "provisioned"}, "must be one of bursting, elastic"),
        ({"loadBalancerScheme": "private"}, "must be one of internet-facing, internal"),
        (
            {"loadBalancerScheme": "internal", "githubWebhookCidrBlocks": ["10.2.0.0/16"]},
            "only private ranges can reach an internal load balancer",
        ),
    ],
    ids=str,
)
def test_a_setting_that_is_not_accepted_is_named_with_what_is(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(LOCAL | {"allowedCidrBlocks": ["9.9.9.0/24"]} | changes, stack="prod", region=REGION)
    (problem,) = refused.value.problems
    assert problem.startswith(next(iter(changes)))
    assert reason in problem


def container(**changes: Any) -> dict[str, Any]:
    return json.loads(stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]


def test_the_flags_of_the_example_are_variables_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    before, after = container(), container(serverConfigFile="examples/server.yaml")
    assert [item for item in after["environment"] if item not in before["environment"]] == [
        {"name": "ATLANTIS_CHECKOUT_DEPTH", "value": "20"},
        {"name": "ATLANTIS_ENABLE_DIFF_MARKDOWN_FORMAT", "value": "true"},
        {"name": "ATLANTIS_HIDE_PREV_PLAN_COMMENTS", "value": "true"},
        {"name": "ATLANTIS_PARALLEL_PLAN", "value": "true"},
        {"name": "ATLANTIS_PARALLEL_POOL_SIZE", "value": "4"},
        {"name": "ATLANTIS_USE_TF_PLUGIN_CACHE", "value": "false"},
    ]


def test_the_flags_of_the_opentofu_example_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    variables = {
        item["name"]: item["value"] for item in container(serverConfigFile="examples/opentofu.yaml")["environment"]
    }
    assert variables["ATLANTIS_DEFAULT_TF_DISTRIBUTION"] == "opentofu"
    assert variables["ATLANTIS_TF_DOWNLOAD"] == "false"


def test_a_version_that_yaml_reads_as_the_same_number_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "version.yaml").write_text("default-tf-version: 1.11\ncheckout-depth: 010\n", encoding="utf-8")
    variables = {item["name"]: item["value"] for item in container(serverConfigFile="version.yaml")["environment"]}
    assert variables["ATLANTIS_DEFAULT_TF_VERSION"] == "1.11"


def test_notifications_reach_the_start_and_no_flag_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hook = {"event": "apply", "kind": "http", "url": "https://hooks.example.com/atlantis", "branch-regex": "^main$"}
    (tmp_path / "notifications.yaml").write_text(yaml.safe_dump({"webhooks": [hook]}), encoding="utf-8")
    before, after = container(), container(serverConfigFile="notifications.yaml")
    (added,) = [item for item in after["environment"] if item not in before["environment"]]
    assert added["name"] == "SERVER_NOTIFICATIONS"
    assert yaml.safe_load(added["value"]) == {"webhooks": [hook]}


@pytest.mark.parametrize(
    ("flag", "value", "warned"),
    [
        ("allow-fork-prs", "true", True),
        ("allow-fork-prs", "false", False),
        ("automerge", "true", False),
        ("allow-commands", "plan,apply,cancel", True),
        ("allow-commands", "plan,apply", False),
    ],
)
def test_flags_that_open_a_plan_to_others_or_promise_in_vain_are_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str, value: str, warned: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flags.yaml").write_text(f"parallel-pool-size: 3\n{flag}: {value}\n", encoding="utf-8")
    found = [line.split(": ")[:2] for line in configuration.warnings("flags.yaml")]
    assert found == ([["flags.yaml:2", flag]] if warned else [])


def secret_arn(name: str) -> str:
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"


REFERENCES = {
    "secretEnvironment": ["REGISTRY_TOKEN=ci/registry:token"],
    "serverSecrets": ["api-secret=ci/api:secret"],
    "allowApi": True,
}


def test_secrets_of_workflows_stay_in_the_environment_and_those_of_the_server_are_taken_over() -> None:
    before, after = container(), container(**REFERENCES)
    added = {item["name"]: item["valueFrom"] for item in after["secrets"] if item not in before["secrets"]}
    assert added == {
        "ATLANTIS_API_SECRET": f"{secret_arn('ci/api')}:secret::",
        "REGISTRY_TOKEN": f"{secret_arn('ci/registry')}:token::",
    }
    assert set(after["command"]) - set(before["command"]) == {"ATLANTIS_API_SECRET"}


def test_the_execution_role_reads_named_secrets_under_their_keys() -> None:
    read, decrypt = stack(**REFERENCES).one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
    assert {secret_arn("ci/api"), secret_arn("ci/registry")} <= set(read["Resource"])
    keys = {f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-{name}" for name in ("ci/api", "ci/registry")}
    assert keys <= set(decrypt["Resource"])


def test_named_roles_can_be_assumed_and_no_others() -> None:
    arn = "arn:aws:iam::210987654321:role/terraform"
    name = "permissions-task-read"
    with_role = stack(assumableRoleArns=[arn]).one("aws:iam/policy:Policy", name).document()
    without = stack().one("aws:iam/policy:Policy", name).document()
    assert [statement for statement in with_role if statement not in without] == [
        {
            "Sid": "AssumeNamedRoles",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": [arn],
        }
    ]
    assert "sts:AssumeRole" not in json.dumps(without)


def test_clocks_and_room_are_the_settings() -> None:
    graph = stack(ephemeralStorage=50, stopTimeout=60, loadBalancerIdleTimeout=900, efsThroughputMode="elastic")
    assert graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["ephemeralStorage"] == {"sizeInGib": 50}
    assert container(stopTimeout=60)["stopTimeout"] == 60
    assert graph.one("aws:lb/loadBalancer:LoadBalancer").inputs["idleTimeout"] == 900
    assert graph.one("aws:efs/fileSystem:FileSystem").inputs["throughputMode"] == "elastic"
    assert "ephemeralStorage" not in stack().one("aws:ecs/taskDefinition:TaskDefinition").inputs


def test_an_internal_load_balancer_stands_in_the_private_subnets() -> None:
    graph = stack(
        loadBalancerScheme="internal", allowedCidrBlocks=["10.1.0.0/16"], githubWebhookCidrBlocks=["10.2.0.0/16"]
    )
    inputs = graph.one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert inputs["internal"] is True
    assert inputs["subnets"] == ["subnet-private-1", "subnet-private-2"]
