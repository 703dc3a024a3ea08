"""Compute: cluster, task definition, service and log, input by input."""

import json
from typing import Any

import pytest

from tests.unit.isolated import containers_of, environment_of
from tests.unit.stacks import BARE, PRODUCTION, stack

TASK = "aws:ecs/taskDefinition:TaskDefinition"


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
    assert "pidMode" not in stack(**changes).one(TASK).inputs
