"""The checks of the permissions boundary: a given one against every escalation, and the roles that need one."""

import json
from typing import Any

import pytest

from preflight.errors import Status
from preflight.escalations import Setting, escalations
from tests.preflight.account import Account, policy

EXISTS, PROTECTS, BOUND = (
    "roles: permissions boundary",
    "roles: boundary protects Atlantis",
    "roles: managed roles have it",
)


def boundary(account: Account) -> list[dict[str, Any]]:
    """The statements of the account's boundary."""
    document = account.client("iam").get_policy_version(
        PolicyArn=account.values["permissionsBoundaryArn"], VersionId="v1"
    )["PolicyVersion"]["Document"]
    return (json.loads(document) if isinstance(document, str) else document)["Statement"]


def change(account: Account, statements: list[dict[str, Any]]) -> None:
    account.client("iam").create_policy_version(
        PolicyArn=account.values["permissionsBoundaryArn"], PolicyDocument=policy(*statements), SetAsDefault=True
    )


def test_without_managed_roles_there_is_nothing_to_protect_from(account: Account):
    account.values["managedNamePrefixes"] = []
    results = account.results()
    assert {results[PROTECTS].status, results[BOUND].status} == {Status.NOT_CHECKED}


def test_boundary_that_allows_everything_is_a_warning_that_names_every_escalation(account: Account):
    change(account, [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    result = account.results()[PROTECTS]
    assert result.status is Status.WARNING
    setting = Setting(
        names=account.names,
        prefix="fileflow-",
        boundary_arn=account.values["permissionsBoundaryArn"],
        own_boundary=True,
        secret_arns={of: f"arn:aws:secretsmanager:x:1:secret:{of}" for of in ("github-app", "webhook")},
        subnet_ids=["subnet-1"],
    )
    asked = escalations(setting)
    assert len(asked) > 25
    for escalation in asked:
        assert escalation.name.startswith("secret-") or f"{escalation.attack} (" in result.message, escalation.name
    assert result.message.count("read Atlantis' secret prod-atlantis-") == 2


DENIED = {
    "DenyOwnResources": "run another task definition in Atlantis' service (ecs:UpdateService)",
    "DenyRolesWithoutBoundary": "create a role without the boundary (iam:CreateRole)",
    "DenyBoundaryChanges": "remove the boundary of a role (iam:DeleteRolePermissionsBoundary)",
    "DenyUsers": "create a user, which needs no boundary (iam:CreateUser)",
    "PassRolesToTasksOnly": "pass a role to a service other than ECS (iam:PassRole)",
    "DenyTag": "open Atlantis' security groups (ec2:AuthorizeSecurityGroupIngress)",
    "DenyServicesInSubnets": "run a service in Atlantis' subnets",
    "DenyPublicAddresses": "run a service with a public address (ecs:CreateService)",
    "DenyTasksWithoutService": "run a task in Atlantis' subnets with RunTask",
}


@pytest.mark.parametrize("sid", DENIED)
def test_each_statement_of_the_boundary_keeps_something_out(account: Account, sid: str):
    change(account, [statement for statement in boundary(account) if statement["Sid"] != sid])
    account.assert_only(PROTECTS, Status.WARNING, DENIED[sid], "docs/security.md")


def test_role_of_a_managed_prefix_without_the_boundary_is_a_warning(account: Account):
    iam = account.client("iam")
    trust = policy({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="fileflow-worker", AssumeRolePolicyDocument=trust)
    iam.create_role(
        RoleName="fileflow-bound",
        AssumeRolePolicyDocument=trust,
        PermissionsBoundary=account.values["permissionsBoundaryArn"],
    )
    iam.create_role(RoleName="payments", AssumeRolePolicyDocument=trust)
    for own in ("atlantis-ecs-task-staging", "atlantis-vpc-flow-logs-prod"):
        iam.create_role(RoleName=own, AssumeRolePolicyDocument=trust)
    account.assert_only(BOUND, Status.WARNING, "fileflow-worker: without the boundary", "--role-name fileflow-worker")
