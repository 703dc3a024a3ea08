"""terraformIsolation: the roles of plans and applies."""

import json

import pytest

from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from tests.unit.isolated import ISOLATED, POLICY, ROLE, attached, statements
from tests.unit.recording import ACCOUNT, arn_of
from tests.unit.stacks import PRODUCTION, stack


def _sessions_of(role: str) -> list[str]:
    return [f"arn:aws:iam::{ACCOUNT}:role/{role}", f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/*"]


def test_only_the_workers_of_a_kind_can_assume_the_role_of_its_commands() -> None:
    graph = stack(**ISOLATED)
    for role in ("plan", "apply"):
        made = graph.one(ROLE, f"permissions-{role}-role").decoded
        assert made["name"] == f"atlantis-ecs-task-{role}-prod"
        assert made["assumeRolePolicy"]["Statement"] == [
            {
                "Effect": "Allow",
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Condition": {"ArnLike": {"aws:PrincipalArn": _sessions_of(f"atlantis-ecs-task-{role}-worker-prod")}},
            }
        ]
    assert not {"permissions-plan-role", "permissions-apply-role"} & set(stack(**PRODUCTION).names(ROLE))


@pytest.mark.parametrize("role", ["plan", "apply"])
def test_the_role_of_a_worker_assumes_the_roles_of_its_kind_and_protects_tasks(role: str) -> None:
    plan, apply = (f"arn:aws:iam::210987654321:role/shop-{kind}" for kind in ("plan", "apply"))
    graph = stack(**ISOLATED | {"repositoryRoles": [f"my-organization/shop-*={plan} {apply}"]})
    assert attached(graph, f"atlantis-ecs-task-{role}-worker-prod") == []
    own = [f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-{role}-prod", plan if role == "plan" else apply]
    policy = graph.one("aws:iam/rolePolicy:RolePolicy", f"permissions-{role}-worker-sessions").decoded["policy"]
    assert policy["Statement"] == [
        {"Sid": "AssumeTerraformRoles", "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": own},
        {"Sid": "TagTerraformSessions", "Effect": "Allow", "Action": ["sts:TagSession"], "Resource": own},
        {
            "Sid": "ProtectOwnTasks",
            "Effect": "Allow",
            "Action": ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"],
            "Resource": [f"arn:aws:ecs:ap-northeast-2:{ACCOUNT}:task/atlantis-prod/*"],
        },
    ]


def test_the_task_role_mounts_protects_and_finds_workers_and_assumes_nothing() -> None:
    graph = stack(**ISOLATED)
    assert attached(graph, "atlantis-ecs-task-prod") == [arn_of("permissions-task-file-system")]
    found = statements(graph, "permissions-task-file-system")
    assert [statement["Sid"] for statement in found] == [
        "MountThroughAccessPoint",
        "ProtectOwnTasks",
        "ListWorkers",
        "DescribeWorkers",
    ]
    cluster = f"arn:aws:ecs:ap-northeast-2:{ACCOUNT}:cluster/atlantis-prod"
    assert found[2]["Resource"] == ["*"]
    assert found[2]["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}
    assert found[3]["Resource"] == [cluster.replace("cluster/", "task/") + "/*"]
    assert [statement["Sid"] for statement in statements(stack(**PRODUCTION), "permissions-task-file-system")] == [
        "MountThroughAccessPoint",
        "ProtectOwnTasks",
    ]


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


PLANS_TOO, APPLIES_ONLY = ([f"arn:aws:iam::210987654321:role/{name}"] for name in ("reader", "terraform"))


def test_a_plan_assumes_only_the_roles_that_are_listed_for_plans() -> None:
    graph = stack(**ISOLATED | {"assumableRoleArns": APPLIES_ONLY, "planAssumableRoleArns": PLANS_TOO})
    assert statements(graph, "permissions-task-read")[-1]["Resource"] == PLANS_TOO
    assert [statement["Resource"] for statement in statements(graph, "permissions-task-assume")] == [APPLIES_ONLY]
    only = set(attached(graph, "atlantis-ecs-task-apply-prod")) - set(attached(graph, "atlantis-ecs-task-plan-prod"))
    assert arn_of("permissions-task-assume") in only
    assert arn_of("permissions-task-assume") not in attached(graph, "atlantis-ecs-task-prod")


def test_a_plan_reads_the_values_of_those_secrets_only_that_have_a_prefix_for_plans() -> None:
    assert "GetSecretValue" not in str(statements(stack(**ISOLATED), "permissions-plan-managed"))
    opened = stack(**ISOLATED, planSecretPrefixes=["shop/"])
    assert statements(opened, "permissions-plan-managed")[-1] == {
        "Sid": "ReadSecretValues",
        "Effect": "Allow",
        "Action": ["secretsmanager:GetSecretValue"],
        "Resource": [f"arn:aws:secretsmanager:ap-northeast-2:{ACCOUNT}:secret:shop/*"],
    }
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
