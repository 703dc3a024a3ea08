"""Permissions: the roles, what is on them, and the operator's policies in addition. The default stack's are in `decided.yaml`."""

from typing import Any

import pytest

from tests.unit.recording import Graph
from tests.unit.stacks import stack

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


BUCKETS, READ_ONLY = "arn:aws:iam::123456789012:policy/buckets", "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADDITIONAL: dict[str, Any] = {"additionalPolicyArns": [BUCKETS, READ_ONLY]}


def attached(graph: Graph) -> dict[str, tuple[str, str]]:
    """Role and policy of the additional attachments."""
    return {
        each.name: (each.inputs["role"], each.inputs["policyArn"])
        for each in graph.all(ATTACHMENT)
        if "additional" in each.name
    }


def test_they_are_attached_to_the_task_role() -> None:
    assert attached(stack(**ADDITIONAL)) == {
        "permissions-task-additional-0": ("atlantis-ecs-task-prod", BUCKETS),
        "permissions-task-additional-1": ("atlantis-ecs-task-prod", READ_ONLY),
    }
    assert attached(stack()) == {}


def test_with_isolation_applies_have_them_and_plans_have_their_own() -> None:
    graph = stack(**ADDITIONAL, additionalPlanPolicyArns=[READ_ONLY], terraformIsolation="tasks")
    assert attached(graph) == {
        "permissions-apply-additional-0": ("atlantis-ecs-task-apply-prod", BUCKETS),
        "permissions-apply-additional-1": ("atlantis-ecs-task-apply-prod", READ_ONLY),
        "permissions-plan-additional-0": ("atlantis-ecs-task-plan-prod", READ_ONLY),
    }


@pytest.mark.parametrize("prefixes", [[], ["shop-"]])
def test_what_bypasses_the_stack_s_limits_stays_denied_without_managed_prefixes_too(prefixes: list[str]) -> None:
    document = stack(**ADDITIONAL, managedNamePrefixes=prefixes).one(
        "aws:iam/policy:Policy", "permissions-task-own-stack"
    )
    statements = document.document()
    assert {each["Effect"] for each in statements} == {"Deny"}
    denied = {each["Sid"] for each in statements}
    assert denied == {
        "DenyOwnResources",
        "DenyOwnTasks",
        "DenyRolesWithoutBoundary",
        "DenyBoundaryChanges",
        "DenyUsers",
        "DenyPolicyChanges",
        "DenyTag",
        "DenyUseOfSecurityGroups",
        "DenyServicesInSubnets",
        "DenyPublicAddresses",
        "DenyTasksWithoutService",
    }
    assert len(stack().one("aws:iam/policy:Policy", "permissions-task-own-stack").document()) == 1
