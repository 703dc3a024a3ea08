"""Conditions of the deployed policies: by calls where the local AWS evaluates them, and as read back where it can't.

It can't where no call of the API is made: mounting, and keys that another service uses on the caller's behalf.
"""

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testbed.local_aws import LocalAws
from tests.sandbox.permissions.calls import ALL, BOUNDARY, BY_DEFAULT, BY_STATEMENT, NAMES, TRUST, Actor, call

OTHERS_RANGE = [{"IpProtocol": "tcp", "FromPort": 4141, "ToPort": 4141, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


def statements(aws: LocalAws, role: str, effect: str, action: str) -> list[dict[str, Any]]:
    """The role's statements of this effect that are about `action`, from inline and attached policies."""
    return [
        statement
        for document in _documents(aws, role)
        for statement in document["Statement"]
        if statement["Effect"] == effect and any(_is_about(pattern, action) for pattern in _listed(statement["Action"]))
    ]


def conditions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement.get("Condition", {}) for statement in found]


def resources(found: list[dict[str, Any]]) -> set[str]:
    return {resource for statement in found for resource in _listed(statement["Resource"])}


def _documents(aws: LocalAws, role: str) -> Iterator[dict[str, Any]]:
    iam = aws.client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield _decoded(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield _decoded(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _decoded(document: Any) -> dict[str, Any]:
    return json.loads(document) if isinstance(document, str) else document


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _is_about(pattern: str, action: str) -> bool:
    return fnmatch.fnmatchcase(action, pattern)


def test_policy_passes_managed_roles_to_tasks_only(aws: LocalAws):
    passed = statements(aws, NAMES.task_role, "Allow", "iam:PassRole")
    assert conditions(passed) == [{"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}]
    assert resources(passed) <= {NAMES.role_arn("fileflow-*"), NAMES.role_arn("atlantis-*")}
    refused = resources(statements(aws, NAMES.task_role, "Deny", "iam:PassRole"))
    assert NAMES.role_arn(NAMES.roles_of_every_environment) in refused
    for role in (NAMES.task_role, NAMES.execution_role):
        assert fnmatch.fnmatchcase(role, NAMES.roles_of_every_environment)


def test_role_is_created_and_changed_under_the_boundary_only(aws: LocalAws, task: Actor):
    role = {"RoleName": "fileflow-bounded", "AssumeRolePolicyDocument": TRUST}
    assert BY_STATEMENT in task.refusal(call("creates a role without a boundary", "iam.create_role", **role))
    bounded = call("creates a role under the boundary", "iam.create_role", **role, PermissionsBoundary=BOUNDARY)
    assert task.refusal(bounded) == ""
    grant = {"PolicyName": "all", "PolicyDocument": ALL}
    assert task.refusal(call("widens it", "iam.put_role_policy", RoleName="fileflow-bounded", **grant)) == ""
    aws.client("iam").delete_role_permissions_boundary(RoleName="fileflow-bounded")
    widening = call("widens a role that has no boundary", "iam.put_role_policy", RoleName="fileflow-bounded", **grant)
    assert BY_STATEMENT in task.refusal(widening)
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"):
        assert statements(aws, NAMES.task_role, "Allow", action) == []


CONTAINER = {"name": "api", "image": "busybox", "memory": 64}


@pytest.mark.parametrize(
    ("family", "role", "reason"),
    [
        ("fileflow-api", None, ""),
        ("fileflow-api", "fileflow-worker", ""),
        ("fileflow-api", "payments-admin", BY_DEFAULT),
        ("payments", None, BY_DEFAULT),
        (NAMES.base, None, BY_STATEMENT),
    ],
)
def test_task_definition_is_registered_in_managed_families_with_managed_roles(
    task: Actor, family: str, role: str | None, reason: str
):
    passed = {"taskRoleArn": NAMES.role_arn(role)} if role else {}
    registering = call(
        "registers a task definition",
        "ecs.register_task_definition",
        family=family,
        containerDefinitions=[CONTAINER],
        **passed,
    )
    refusal = task.refusal(registering)
    assert (reason in refusal) if reason else refusal == ""


def test_own_security_groups_are_kept_by_their_tag(aws: LocalAws, task: Actor, values: dict[str, Any]):
    group = values["security group"]
    opening = call(
        "opens its own security group",
        "ec2.authorize_security_group_ingress",
        GroupId=group,
        IpPermissions=OTHERS_RANGE,
    )
    assert BY_STATEMENT in task.refusal(opening)

    refused = statements(aws, NAMES.task_role, "Deny", "ec2:AuthorizeSecurityGroupIngress")
    assert conditions(refused) == [{"StringEquals": {"aws:ResourceTag/Service": "atlantis"}}]
    described = aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert {"Key": "Service", "Value": "atlantis"} in described["Tags"]
    for action in (
        "ec2:DeleteTags",
        "ec2:CreateTags",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:ModifySecurityGroupRules",
    ):
        assert statements(aws, NAMES.task_role, "Deny", action) == refused


def test_file_system_is_not_mounted_locally_so_the_policy_admits_by_the_access_point(
    aws: LocalAws, values: dict[str, Any]
):
    mounting = statements(aws, NAMES.task_role, "Allow", "elasticfilesystem:ClientMount")
    access_point = NAMES.arn("elasticfilesystem", f"access-point/{values['access point']}")
    assert conditions(mounting) == [{"StringEquals": {"elasticfilesystem:AccessPointArn": access_point}}]
    assert resources(mounting) == {NAMES.arn("elasticfilesystem", f"file-system/{values['file system']}")}
    assert statements(aws, NAMES.task_role, "Allow", "elasticfilesystem:ClientRootAccess") == []


def test_key_behind_a_secret_is_not_asked_so_the_policy_decrypts_through_the_service(
    aws: LocalAws, values: dict[str, Any]
):
    decrypting = statements(aws, NAMES.execution_role, "Allow", "kms:Decrypt")
    assert conditions(decrypting) == [{"StringEquals": {"kms:ViaService": NAMES.via("secretsmanager")}}]
    assert resources(decrypting) == {NAMES.arn("kms", f"key/{values['secrets key']}")}
    assert resources(statements(aws, NAMES.task_role, "Allow", "kms:Decrypt")) == {values["state key"]}


def test_key_behind_the_state_bucket_is_not_asked_so_the_policy_uses_it_through_s3(
    aws: LocalAws, values: dict[str, Any]
):
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        using = statements(aws, NAMES.task_role, "Allow", action)
        assert conditions(using) == [{"StringEquals": {"kms:ViaService": NAMES.via("s3")}}]
        assert resources(using) == {values["state key"]}


@pytest.mark.parametrize("role", [NAMES.task_role, NAMES.execution_role])
def test_root_takes_on_the_roles_locally_so_the_trust_names_tasks_of_this_account_only(aws: LocalAws, role: str):
    trust = _decoded(aws.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    assert len(trust["Statement"]) == 1
    assert trust["Statement"][0]["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    told = json.dumps(trust["Statement"][0]["Condition"])
    assert "aws:SourceAccount" in told
    assert "aws:SourceArn" in told


def test_no_statement_of_the_task_role_allows_everything(aws: LocalAws):
    for document in _documents(aws, NAMES.task_role):
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                assert not [action for action in _listed(statement["Action"]) if "*" in action]
                assert "NotAction" not in statement
                assert "NotResource" not in statement


def test_task_keeps_the_boundary_that_it_demands(aws: LocalAws):
    role = aws.client("iam").get_role(RoleName=NAMES.task_role)["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY


def test_secrets_refuse_everybody_but_the_execution_role(aws: LocalAws, values: dict[str, Any]):
    for secret in ("app secret", "webhook secret"):
        policy = _decoded(aws.client("secretsmanager").get_resource_policy(SecretId=values[secret])["ResourcePolicy"])
        refusals = [found for found in policy["Statement"] if found["Effect"] == "Deny"]
        admitted = {arn for found in refusals for arn in _listed(found["Condition"]["ArnNotLike"]["aws:PrincipalArn"])}
        assert NAMES.execution_role_arn in admitted
        assert NAMES.task_role_arn not in admitted
    with pytest.raises(ClientError, match="not authorized"):
        aws.client("sts").assume_role(RoleArn=NAMES.role_arn("nobody"), RoleSessionName="nobody")
