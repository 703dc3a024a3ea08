"""The least-privilege roles of a rehearsal: exact resources, wildcards only for what is generated, and evaluated by IAM's own rules."""

import ast
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository_rehearsal import role_code
from sandbox.repository_rehearsal.decisions import Call, DecisionLog, distinct
from sandbox.repository_rehearsal.least_privilege_role import LARGEST_POLICY, Statement, documents, pattern, statements
from sandbox.repository_rehearsal.project_roles import later_changes
from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Principal
from tests.tables import table

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fileflow-api"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def call(action: str, resource: str, **keys: Any) -> Call:
    return Call(action, resource, {key.replace("__", ":"): value for key, value in keys.items()}, "Allowed", (), "")


CALLS = [
    call("sqs:CreateQueue", arn("sqs", "fileflow")),
    call("sqs:GetQueueAttributes", arn("sqs", "fileflow")),
    call("sqs:GetQueueAttributes", arn("sqs", "fileflow-dlq")),
    call("ec2:DescribeVpcs", "*"),
    call("ec2:DeleteSecurityGroup", arn("ec2", "security-group/sg-0123456789abcdef0")),
    call("ecs:RegisterTaskDefinition", arn("ecs", "task-definition/fileflow:7")),
    call("iam:PassRole", ROLE, iam__PassedToService="ecs-tasks.amazonaws.com"),
]


def decide(evaluator: Evaluator, found: Sequence[Statement], made: Call) -> str:
    who = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis/task", documents(found, "least"))
    return evaluator.decide(who, made.action, made.resource, made.keys).result


@pytest.mark.parametrize(
    ("seen", "expected"),
    table(__file__, "generated"),
)
def test_only_what_is_generated_becomes_a_wildcard(seen: str, expected: str):
    assert pattern(seen) == expected


def test_the_roles_allow_exactly_the_calls(evaluator: Evaluator):
    found = statements(CALLS, evaluator.reference)
    assert {decide(evaluator, found, made) for made in CALLS} == {"Allowed"}
    others = [
        call("sqs:CreateQueue", arn("sqs", "fileflow-dlq")),
        call("sqs:DeleteQueue", arn("sqs", "fileflow")),
        call("ec2:DescribeSubnets", "*"),
        call("iam:PassRole", ROLE, iam__PassedToService="lambda.amazonaws.com"),
    ]
    assert {decide(evaluator, found, made) for made in others} == {"ImplicitlyDenied"}


def test_a_generated_part_of_a_condition_is_a_wildcard_too(evaluator: Evaluator):
    def attached(number: int) -> Call:
        policy = f"arn:aws:iam::{ACCOUNT}:policy/fileflow-20261128085148898300000{number:03}"
        return call("iam:AttachRolePolicy", ROLE, iam__PolicyARN=policy)

    found = statements([attached(2)], evaluator.reference)
    assert decide(evaluator, found, attached(3)) == "Allowed"
    other = call("iam:AttachRolePolicy", ROLE, iam__PolicyARN="arn:aws:iam::aws:policy/AdministratorAccess")
    assert decide(evaluator, found, other) == "ImplicitlyDenied"


def test_without_one_statement_exactly_its_calls_are_denied(evaluator: Evaluator):
    found = statements(CALLS, evaluator.reference)
    for removed in found:
        left = [statement for statement in found if statement is not removed]
        denied = {made.action for made in CALLS if decide(evaluator, left, made) != "Allowed"}
        assert denied == set(removed.actions)


def test_every_wildcard_has_its_reason(evaluator: Evaluator):
    reasons = {statement.actions: statement.reason for statement in statements(CALLS, evaluator.reference)}
    assert (
        reasons[("ec2:DescribeVpcs",)] == "the service authorization reference has no resource type for these actions"
    )
    assert "generates this part" in reasons[("ec2:DeleteSecurityGroup",)]
    assert reasons[("sqs:CreateQueue",)] == ""
    for action, resource in (("sqs:Invent", "*"), ("sqs:GetQueueUrl", arn("sns", "fileflow"))):
        (unlisted,) = statements([call(action, resource)], evaluator.reference)
        assert unlisted.reason.startswith(f"unverified: AWS' reference doesn't list {action} on such resources")
    unnamed = statements([call("sqs:GetQueueUrl", "*")], evaluator.reference)
    assert "knows no narrower one for sqs:GetQueueUrl" in unnamed[0].reason


def test_what_was_needed_later_has_its_purpose_and_stands_once(evaluator: Evaluator):
    security_group = arn("ec2", "security-group/sg-0123456789abcdef0")
    created = [
        call("ec2:CreateSecurityGroup", security_group),
        call("ec2:CreateTags", security_group, ec2__CreateAction="CreateSecurityGroup"),
        call("sqs:TagQueue", arn("sqs", "fileflow")),
    ]
    found = statements(created, evaluator.reference)
    later = [*created[2:], call("ec2:CreateTags", security_group), call("sqs:DeleteQueue", arn("sqs", "fileflow"))]
    more = statements(later, evaluator.reference, purpose="to destroy", beyond=found)
    assert {item.actions: item.condition for item in more} == {("ec2:CreateTags",): (), ("sqs:DeleteQueue",): ()}
    assert all(item.reason.startswith("to destroy") for item in more)


def test_what_was_created_can_be_changed_later(evaluator: Evaluator):
    created = [
        call("ecs:CreateService", arn("ecs", "service/fileflow/api")),
        call("ec2:CreateVpc", arn("ec2", "vpc/unnamed")),
        call("ec2:CreateSubnet", arn("ec2", "vpc/vpc-0123456789abcdef0")),
        call("ec2:CreateSubnet", arn("ec2", "subnet/unnamed")),
        call("sqs:CreateQueue", arn("sqs", "fileflow")),
        call("sqs:TagQueue", arn("sqs", "fileflow")),
        call("dynamodb:CreateTable", arn("dynamodb", "table/fileflow")),
        call("dynamodb:UpdateTable", arn("dynamodb", "table/fileflow")),
    ]
    found = {item.actions[0]: item for item in later_changes(created, evaluator.reference)}
    assert {action: item.resources for action, item in found.items()} == {
        "ecs:UpdateService": (arn("ecs", "service/fileflow/api"),),
        "ec2:ModifyVpcAttribute": (arn("ec2", "vpc/*"),),
        "ec2:ModifySubnetAttribute": (arn("ec2", "subnet/*"),),
        "sqs:SetQueueAttributes": (arn("sqs", "fileflow"),),
        "sqs:UntagQueue": (arn("sqs", "fileflow"),),
    }
    assert found["sqs:UntagQueue"].reason == "not seen; it removes the tags that sqs:TagQueue adds"


def test_policies_stay_below_the_quota_and_none_is_empty():
    many = [Statement((f"sqs:Action{number}",), (arn("sqs", "x" * 60 + str(number)),)) for number in range(80)]
    policies = documents(many, "least")
    assert len(policies) > 1
    assert all(len(json.dumps(item, separators=(",", ":"))) <= LARGEST_POLICY for item in policies.values())
    assert sum(len(item["Statement"]) for item in policies.values()) == len(many)
    assert documents([], "least") == {}
    with pytest.raises(ValueError, match="sqs:A exceeds 6144 characters"):
        documents([Statement(("sqs:A",), ("x" * LARGEST_POLICY,))], "least")


def test_the_code_has_the_same_policies(evaluator: Evaluator, tmp_path: Path):
    found = statements(CALLS, evaluator.reference)
    policies = documents(found, "fileflow-plan")
    files = {file.suffix: file for file in role_code.write(tmp_path, "fileflow-plan", policies, found)}
    assert json.loads(files[".json"].read_text("utf-8")) == policies
    program = ast.parse(files[".py"].read_text("utf-8"))
    (policy,) = [
        node for node in ast.walk(program) if isinstance(node, ast.Dict) and len(node.keys) == 2 and _is_policy(node)
    ]
    assert ast.literal_eval(policy) == policies["fileflow-plan"]
    text = files[".tf"].read_text("utf-8")
    assert json.loads(text.partition("jsonencode(")[2].rpartition(")")[0]) == policies["fileflow-plan"]


def _is_policy(node: ast.Dict) -> bool:
    return [key.value for key in node.keys if isinstance(key, ast.Constant)] == ["Version", "Statement"]


def test_the_log_is_read_from_its_last_end(tmp_path: Path):
    log = tmp_path / "iam-decisions.jsonl"

    def line(action: str, role: str = "atlantis", **more: Any) -> str:
        principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/task"
        decided = {"result": "ImplicitlyDenied", "denied_by": [], "allowed_by": []}
        return (
            json.dumps({"principal": principal, "action": action, "resource": "*", "keys": {}, **decided, **more})
            + "\n"
        )

    log.write_text(line("ec2:DescribeVpcs"), encoding="utf-8")
    reader = DecisionLog(tmp_path, ["atlantis"])
    assert (reader.calls(), reader.unsupported()) == ([], [])
    with log.open("a", encoding="utf-8") as stream:
        stream.write(line("ec2:DescribeSubnets", tried="Allowed") + line("ec2:DescribeVpcs", role="other"))
        stream.write(line("ecs:UpdateTaskProtection") + line("s3:GetObject")[:20])
    (seen,) = reader.calls()
    assert (seen.action, seen.result, seen.tried, seen.refused) == (
        "ec2:DescribeSubnets",
        "ImplicitlyDenied",
        "Allowed",
        False,
    )
    assert reader.calls() == [], "a line that is being written is read when it is complete"
    assert distinct([seen, seen]) == [seen]
