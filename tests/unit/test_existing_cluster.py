"""An existing cluster and an existing key of the logs instead of the stack's own, input by input."""

from typing import Any

import pulumi
import pytest

from tests.unit.recording import Graph
from tests.unit.stacks import OWN_BOUNDARY, stack

KEY = "arn:aws:kms:ap-northeast-2:123456789012:key/0a1b2c3d-0000-4000-8000-0123456789ab"
SHARED: dict[str, Any] = {"clusterName": "platform"}


def statement(graph: Graph, policy: str, sid: str) -> dict[str, Any]:
    (found,) = [each for each in graph.one("aws:iam/policy:Policy", policy).document() if each["Sid"] == sid]
    return found


def arn(resource: str) -> str:
    return f"arn:aws:ecs:ap-northeast-2:123456789012:{resource}"


@pytest.mark.parametrize("policy", ["permissions-task-own-stack", "permissions-boundary"])
def test_terraform_can_change_other_services_of_the_cluster_but_not_atlantis(policy: str) -> None:
    denied = statement(stack(**SHARED, **OWN_BOUNDARY), policy, "DenyOwnResources")["Resource"]
    assert [each for each in denied if ":ecs:" in each] == [
        arn("service/platform/atlantis-prod"),
        arn("task-definition/atlantis-prod:*"),
        arn("task-set/platform/atlantis-prod/*"),
    ]
    assert statement(stack(**SHARED), "permissions-task-containers", "DenyOwnTasks")["Resource"] == [
        arn("task/platform/*")
    ]


def test_the_task_protects_tasks_of_its_own_service_only() -> None:
    protect = statement(stack(**SHARED), "permissions-task-file-system", "ProtectOwnTasks")
    assert protect["Resource"] == [arn("task/platform/*")]
    assert protect["Condition"] == {
        "StringEquals": {"aws:ResourceTag/Service": "atlantis", "aws:ResourceTag/Environment": "prod"}
    }
    assert "Condition" not in statement(stack(), "permissions-task-file-system", "ProtectOwnTasks")


def test_a_cluster_that_is_deleted_fails_the_run() -> None:
    with pytest.raises(pulumi.RunError, match="clusterName = 'deleted': the cluster is INACTIVE"):
        stack(clusterName="deleted")


def test_with_an_existing_key_none_is_created_for_the_logs() -> None:
    assert "compute-logs-key" not in stack(logKeyArn=KEY, logArchiveDays=400).names("aws:kms/key:Key")
