"""Permissions: the roles, what is on them, and the operator's policies in addition."""

from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, REGION, Graph, arn_of
from tests.unit.stacks import BARE, BOUNDARY, PRODUCTION, TAGS, arn, stack

ROLE, POLICY, INLINE = "aws:iam/role:Role", "aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

SUBJECTS = [
    "containers",
    "file-system",
    "load-balancers",
    "logs-and-secrets",
    "own-stack",
    "read",
    "roles",
    "security-groups",
]
"""Of a stack that names neither buckets nor tables."""


@pytest.mark.parametrize(
    ("name", "physical_name", "purpose"),
    [
        (
            "permissions-execution-role",
            "atlantis-ecs-task-execution-prod",
            "starts the task: image, secrets, logs",
        ),
        ("permissions-task-role", "atlantis-ecs-task-prod", "what Terraform runs with inside the task"),
    ],
)
def test_a_role_is_taken_on_by_the_account_s_tasks_only_and_stays_within_the_boundary(
    name: str, physical_name: str, purpose: str
) -> None:
    assert stack().one(ROLE, name).decoded == {
        "name": physical_name,
        "description": f"Atlantis prod: {purpose}",
        "permissionsBoundary": BOUNDARY,
        "assumeRolePolicy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": ACCOUNT},
                        "ArnLike": {"aws:SourceArn": arn("ecs", "*")},
                    },
                }
            ],
        },
        "tags": TAGS,
    }


def test_there_are_two_roles_and_the_flow_logs_of_a_new_vpc_have_one() -> None:
    roles = ["permissions-execution-role", "permissions-task-role"]
    assert stack(**PRODUCTION).names(ROLE) == roles
    assert stack().names(ROLE) == [*roles, "vpc-flow-role"]


def test_the_execution_role_has_the_policy_that_aws_manages() -> None:
    assert stack().one(ATTACHMENT, "permissions-execution-managed").inputs == {
        "role": "atlantis-ecs-task-execution-prod",
        "policyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    }


def task_secrets(secrets: list[str], keys: list[str]) -> dict[str, Any]:
    return {
        "name": "task-secrets",
        "role": "permissions-execution-role-id",
        "policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "ReadTaskSecrets",
                    "Effect": "Allow",
                    "Action": ["secretsmanager:GetSecretValue"],
                    "Resource": secrets,
                },
                {
                    "Sid": "DecryptTaskSecrets",
                    "Effect": "Allow",
                    "Action": ["kms:Decrypt", "kms:DescribeKey"],
                    "Resource": keys,
                    "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}},
                },
            ],
        },
    }


def test_the_execution_role_reads_the_secrets_under_their_key() -> None:
    assert stack().one(INLINE, "permissions-execution-secrets").decoded == task_secrets(
        [arn_of("secrets-github-app"), arn_of("secrets-webhook"), arn_of("secrets-web-password")],
        [arn_of("secrets-key")],
    )


def test_the_execution_role_reads_secrets_that_exist_under_the_keys_that_they_have() -> None:
    assert stack(**BARE).one(INLINE, "permissions-execution-secrets").decoded == task_secrets(
        [arn("secretsmanager", f"secret:shared/{name}-AbCdEf") for name in ("github-app", "webhook")],
        [arn("kms", f"key/of-shared/{name}") for name in ("github-app", "webhook")],
    )


def test_the_task_role_has_one_policy_for_each_subject() -> None:
    assert stack().names(POLICY) == [f"permissions-task-{subject}" for subject in SUBJECTS]


@pytest.mark.parametrize("subject", [*SUBJECTS, "state"])
def test_a_policy_of_the_task_role_has_its_own_name_and_is_attached(subject: str) -> None:
    # AWS replaces a policy to change its description, which fails under a fixed name.
    graph = stack(terraformStateBuckets=["states"])
    policy = graph.one(POLICY, f"permissions-task-{subject}")
    assert {key: value for key, value in policy.inputs.items() if key != "policy"} == {
        "name": f"atlantis-ecs-task-prod-{subject}",
        "description": f"Atlantis prod: what Terraform may do ({subject})",
        "tags": TAGS,
    }
    assert graph.one(ATTACHMENT, f"permissions-task-{subject}-attachment").inputs == {
        "role": "atlantis-ecs-task-prod",
        "policyArn": arn_of(f"permissions-task-{subject}"),
    }


def test_the_task_role_has_a_policy_for_state_where_buckets_or_tables_are_named() -> None:
    assert stack(**PRODUCTION).names(POLICY) == sorted(
        f"permissions-task-{subject}" for subject in [*SUBJECTS, "state"]
    )


def test_with_nothing_to_manage_the_task_role_mounts_describes_and_leaves_atlantis_alone() -> None:
    graph = stack(**BARE)
    assert graph.names(POLICY) == [f"permissions-task-{subject}" for subject in ("file-system", "own-stack", "read")]
    assert graph.names(ATTACHMENT) == [
        "permissions-execution-managed",
        "permissions-task-file-system-attachment",
        "permissions-task-own-stack-attachment",
        "permissions-task-read-attachment",
    ]


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
