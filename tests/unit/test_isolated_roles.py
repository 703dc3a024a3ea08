"""terraformIsolation: the roles of plans and applies."""

import json

import pytest

from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from tests.unit.isolated import ISOLATED, POLICY, attached, statements
from tests.unit.recording import ACCOUNT, arn_of
from tests.unit.stacks import PRODUCTION, stack


def test_the_apply_role_has_what_the_task_role_had_but_the_mount() -> None:
    before, after = stack(**PRODUCTION), stack(**ISOLATED)
    had = {policy for policy in attached(before, "atlantis-ecs-task-prod") if "file-system" not in policy}
    assert set(attached(after, "atlantis-ecs-task-apply-prod")) == had
    for subject in ("state", "containers", "security-groups", "load-balancers", "roles", "logs-and-secrets", "read"):
        allowed, allows = (
            [each for each in statements(graph, f"permissions-task-{subject}") if each["Effect"] == "Allow"]
            for graph in (before, after)
        )
        assert allowed == allows


def test_a_plan_can_write_nothing_but_the_states_lock() -> None:
    graph = stack(**ISOLATED)
    assert attached(graph, "atlantis-ecs-task-plan-prod") == sorted(
        [
            arn_of("permissions-plan-locks"),
            arn_of("permissions-plan-managed"),
            arn_of("permissions-plan-state"),
            arn_of("permissions-task-own-stack"),
            arn_of("permissions-task-read"),
        ]
    )
    names = [f"permissions-{name}" for name in ("plan-managed", "plan-state", "plan-locks", "task-read")]
    found = [statement for name in names for statement in statements(graph, name) if statement["Effect"] == "Allow"]
    verbs = ("BatchCheck", "BatchGet", "Describe", "Get", "List")
    writing = {
        statement["Sid"]: statement
        for statement in found
        if any(not action.partition(":")[2].startswith(verbs) for action in statement["Action"])
    }
    assert {sid: statement["Action"] for sid, statement in writing.items()} == {
        "LockStateFiles": ["s3:DeleteObject", "s3:PutObject"],
        "UseStateKeys": ["kms:Decrypt", "kms:GenerateDataKey"],
        "LockState": ["dynamodb:DeleteItem", "dynamodb:PutItem"],
    }
    assert all(resource.endswith("/*.tflock") for resource in writing["LockStateFiles"]["Resource"])
    managed = statements(graph, "permissions-plan-managed")
    assert len({statement["Sid"] for statement in managed}) == len(managed)
    assert len(json.dumps(managed, separators=(",", ":"))) < 6144


def test_a_plan_reads_the_values_of_secrets_only_with_a_prefix_for_plans_and_then_where_nothing_is_managed_too() -> (
    None
):
    assert "GetSecretValue" not in str(statements(stack(**ISOLATED), "permissions-plan-managed"))
    alone = stack(**ISOLATED | {"managedNamePrefixes": None}, planSecretPrefixes=["shop/"])
    assert [each["Sid"] for each in statements(alone, "permissions-plan-managed")] == ["ReadSecretValues"]


ENVIRONMENTS = {
    "ecs:UpdateService": "arn:aws:ecs:{}:service/atlantis-dev/atlantis-dev",
    "elasticloadbalancing:CreateRule": "arn:aws:elasticloadbalancing:{}:listener/app/atlantis-dev/0123456789abcdef/0123456789abcdef",
    "elasticloadbalancing:RegisterTargets": "arn:aws:elasticloadbalancing:{}:targetgroup/atlantis-dev-atlantis/0123456789abcdef",
    "logs:DeleteLogGroup": "arn:aws:logs:{}:log-group:atlantis-dev",
    "ecr:DeleteRepository": "arn:aws:ecr:{}:repository/atlantis-dev",
}


@pytest.mark.parametrize("action", ENVIRONMENTS)
def test_an_apply_changes_no_other_environment_although_its_name_has_a_managed_prefix(
    evaluator: Evaluator, action: str
) -> None:
    graph = stack(**ISOLATED)
    policies = {
        name: graph.one(POLICY, name).decoded["policy"]
        for name in graph.names(POLICY)
        if arn_of(name) in attached(graph, "atlantis-ecs-task-apply-prod")
    }
    apply = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis-ecs-task-apply-prod/x", policies)
    resource = ENVIRONMENTS[action].format(f"ap-northeast-2:{ACCOUNT}")
    assert not evaluator.decide(apply, action, resource, {"aws:ResourceTag/Service": "atlantis"}).allowed
    assert evaluator.decide(apply, action, resource, {"aws:ResourceTag/Service": "shop"}).allowed
