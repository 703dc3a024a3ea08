"""What the task's role and the execution role may do: each call of `test_calls.yaml`, as IAM decides it by the program's documents."""

import functools
import json
from typing import Any

import pytest

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import decide
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator, Principal
from tests.tables import table
from tests.unit.isolated import ATTACHMENT, POLICY
from tests.unit.recording import ACCOUNT, REGION, arn_of
from tests.unit.stacks import BOUNDARY, arn, stack

TASK, EXECUTION = "atlantis-ecs-task-prod", "atlantis-ecs-task-execution-prod"
MANAGED_BY_AWS = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
]
"""AmazonECSTaskExecutionRolePolicy, for all resources."""
SECRETS = {
    f"secrets-{of}": arn("secretsmanager", f"secret:prod-atlantis-{name}-AbCdEf")
    for of, name in (("github-app", "github-app"), ("webhook", "webhook-secret"))
}
"""ARNs such as AWS gives them, by the names of the resources."""
EXISTING = ExistingResources(
    ACCOUNT,
    REGION,
    tags=lambda resource: {"Service": "atlantis"} if resource.endswith("/sg-atlantis") else {},
    boundary_of={f"arn:aws:iam::{ACCOUNT}:role/fileflow-worker": BOUNDARY}.get,
)


@functools.cache
def policies(role: str) -> dict[str, Document]:
    """The documents of a role, by name."""
    graph = stack(
        terraformStateBuckets=["prod-terraform-state"],
        terraformStateKeyArns=[arn("kms", "key/44444444-0000-4000-8000-000000000000")],
        terraformLockTables=["prod-terraform-locks"],
    )
    attached = {each.inputs["policyArn"] for each in graph.all(ATTACHMENT) if each.inputs["role"] == role}
    found = {each.name: each.inputs["policy"] for each in graph.all(POLICY) if arn_of(each.name) in attached}
    if role == EXECUTION:
        found["secrets"] = graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").inputs["policy"]
        managed = {"Sid": "Managed", "Effect": "Allow", "Action": MANAGED_BY_AWS, "Resource": "*"}
        found["managed"] = json.dumps({"Version": "2012-10-17", "Statement": [managed]})
    return {
        name: json.loads(functools.reduce(lambda text, of: text.replace(arn_of(of), SECRETS[of]), SECRETS, document))
        for name, document in found.items()
    }


ROWS = [
    pytest.param(role, expected, action, parameters, id=purpose)
    for group, role, expected in (
        ("of_others", TASK, {"ImplicitlyDenied", "ExplicitlyDenied"}),
        ("its_work", TASK, {"Allowed"}),
        ("atlantis_itself", TASK, {"ExplicitlyDenied"}),
        ("access_log", TASK, {"ImplicitlyDenied"}),
        ("to_start", EXECUTION, {"Allowed"}),
        ("not_to_start", EXECUTION, {"ImplicitlyDenied", "ExplicitlyDenied"}),
    )
    for purpose, action, parameters in table(__file__, group)
]


@pytest.mark.parametrize(("role", "expected", "action", "parameters"), ROWS)
def test_a_call_is_decided_as_the_table_says(
    evaluator: Evaluator, role: str, expected: set[str], action: str, parameters: dict[str, Any]
) -> None:
    principal = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session", policies(role))
    service, operation = action.split(":")
    asked = decide(evaluator, principal, ApiCall(service, operation, parameters), EXISTING)
    results = {decision.result for _, decision in asked}
    if expected == {"Allowed"}:
        assert results == expected, asked
    else:
        assert results & expected, asked
