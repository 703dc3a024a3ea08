"""`serverConfigFile`, `serverSecrets` and `secretEnvironment`: which flags are accepted, and how they reach the server."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.configuration import server_configuration as configuration
from sandbox.atlantis import build
from tests.unit.isolated import containers_of, environment_of
from tests.unit.stacks import BARE, PRODUCTION, stack

ROOT = Path(__file__).parents[2]


def test_the_flags_are_those_of_the_pinned_server() -> None:
    assert build.version() == configuration.VERSION, "python -m sandbox.atlantis.flags"


def container(**changes: Any) -> dict[str, Any]:
    return containers_of(stack(**changes))["atlantis"]


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
    variables = environment_of(container(serverConfigFile="examples/opentofu.yaml"))
    assert variables["ATLANTIS_DEFAULT_TF_DISTRIBUTION"] == "opentofu"
    assert variables["ATLANTIS_TF_DOWNLOAD"] == "false"


def test_a_version_that_yaml_reads_as_the_same_number_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "version.yaml").write_text("default-tf-version: 1.11\ncheckout-depth: 010\n", encoding="utf-8")
    variables = environment_of(container(serverConfigFile="version.yaml"))
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


def test_an_internal_load_balancer_stands_in_the_private_subnets() -> None:
    graph = stack(
        loadBalancerScheme="internal", allowedCidrBlocks=["10.1.0.0/16"], githubWebhookCidrBlocks=["10.2.0.0/16"]
    )
    inputs = graph.one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert inputs["internal"] is True
    assert inputs["subnets"] == ["subnet-private-1", "subnet-private-2"]


def test_the_server_s_rules_demand_approval_and_let_no_repository_override_them() -> None:
    # Atlantis ignores keys that it doesn't know: a typo here would drop a protection silently.
    demanded = ["approved", "mergeable", "undiverged"]
    assert json.loads(environment_of(containers_of(stack())["atlantis"])["ATLANTIS_REPO_CONFIG_JSON"]) == {
        "repos": [
            {
                "id": "/.*/",
                "pre_workflow_hooks": [
                    {
                        "run": 'eval "$CHECK_COMMIT"',
                        "description": "committed files",
                        "commands": "autoplan, plan, apply, approve_policies, import, state, version",
                    }
                ],
            },
            {
                "id": "/.*/",
                "branch": "/^main$/",
                "plan_requirements": [],
                "apply_requirements": demanded,
                "import_requirements": demanded,
                "allowed_overrides": [],
                "allow_custom_workflows": False,
            },
        ]
    }


@pytest.mark.parametrize(
    "changes", [{}, PRODUCTION, BARE, {"lockingDatabase": "redis"}], ids=["default", "production", "bare", "redis"]
)
def test_the_server_s_start_takes_every_secret_over_and_nothing_else_sees_one(changes: dict[str, Any]) -> None:
    container = containers_of(stack(**changes))["atlantis"]
    assert not [
        name for name, other in containers_of(stack(**changes)).items() if name != "atlantis" and "secrets" in other
    ]
    handed_over = ["ATLANTIS_REPO_CONFIG_JSON", *(secret["name"] for secret in container["secrets"])]
    assert container["command"] == sorted(handed_over)
    # ECS would run it with the secrets in its environment, where a plan can read them.
    assert "healthCheck" not in container
    assert "pidMode" not in stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs
