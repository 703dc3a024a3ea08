"""What no plan may do, whatever else its role is allowed: the statements that the task role and its boundary share."""

import dataclasses
from collections.abc import Sequence

import pulumi

from .names import PhysicalNames
from .policy_documents import Statement, deny

BOUND_ACTIONS = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
"""Actions on roles that support the condition key `iam:PermissionsBoundary`, PutRolePermissionsBoundary and its opposite aside.

Source: the service authorization reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html (November 2026).
PassRole, TagRole and UntagRole do not support it.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnStack:
    """What belongs to Atlantis itself, beside what its names say."""

    names: PhysicalNames
    secret_arns: Sequence[pulumi.Input[str]]
    deployer_arns: Sequence[str]
    """Roles and users that deploy the stack."""
    permissions_boundary_arn: str
    security_group_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]
    """Subnets in which Terraform may not run ECS services. Empty: any."""


def leave_atlantis_alone(own: OwnStack) -> Statement:
    """No action on Atlantis' own roles, cluster, image, load balancer, logs and secrets, nor on its deployers.

    IAM has no regions: another environment's task role, in another region of the account, must not reach this one's roles, so
    the roles and policies of every environment are refused. Everything else has the region in its ARN.
    """
    names = own.names
    every_environment = names.policy_arn(names.roles_of_every_environment)
    resources = [
        *(
            names.arn("ecs", pattern.format(names.base))
            for pattern in ("cluster/{}", "service/{}/*", "task-definition/{}:*", "task-set/{}/*")
        ),
        # IAM documents no wildcard in a resource's type, so one each for the load balancer, its listeners and their rules:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html ("Incorrect wildcard usage").
        *(
            names.arn("elasticloadbalancing", f"{kind}/app/{names.base}/*")
            for kind in ("loadbalancer", "listener", "listener-rule")
        ),
        names.arn("elasticloadbalancing", f"targetgroup/{names.target_group}/*"),
        names.repository_arn,
        names.log_group_arn,
        f"{names.log_group_arn}:*",
        names.role_arn(names.roles_of_every_environment),
        every_environment,
        *own.secret_arns,
        *own.deployer_arns,
    ]
    if not own.permissions_boundary_arn.startswith(every_environment.rstrip("*")):
        resources.append(own.permissions_boundary_arn)
    actions = ["ecr:*", "ecs:*", "elasticloadbalancing:*", "iam:*", "logs:*", "secretsmanager:*"]
    return deny("LeaveAtlantisAlone", actions, resources)


def leave_tasks_alone(names: PhysicalNames) -> Statement:
    """No shell in Atlantis' task and no stop. The task's own container protects it from deployments, with the same role."""
    actions = ["ecs:DescribeTasks", "ecs:ExecuteCommand", "ecs:StopTask", "ecs:*TagResource"]
    return deny("LeaveAtlantisTasksAlone", actions, [names.arn("ecs", f"task/{names.base}/*")])


def keep_boundary(own: OwnStack) -> list[Statement]:
    """No role without the boundary, and no change to a role's boundary."""
    return [
        deny(
            "RefuseRolesWithoutBoundary",
            BOUND_ACTIONS,
            ["*"],
            # Holds where the key is missing too: of a role without any boundary.
            {"StringNotEquals": {"iam:PermissionsBoundary": own.permissions_boundary_arn}},
        ),
        deny("KeepBoundaries", ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"], ["*"]),
    ]


def keep_security_groups() -> Statement:
    """No change to Atlantis' own security groups: they have no name in their ARN, so their tag distinguishes them."""
    changes = ["ec2:*SecurityGroup*", "ec2:CreateTags", "ec2:DeleteTags"]
    own = {"StringEquals": {"aws:ResourceTag/Service": "atlantis"}}
    return deny("KeepOwnSecurityGroups", changes, ["*"], own)


def security_group_arns(names: PhysicalNames) -> list[str]:
    """All that an action on a security group can be about: the group, its rules, and the VPC that it is created in."""
    return [names.arn("ec2", f"{kind}/*") for kind in ("security-group", "security-group-rule", "vpc")]


def borrow_nothing(own: OwnStack) -> list[Statement]:
    """No load balancer in Atlantis' own security groups, and no ECS service beside it.

    ECS has no condition key for security groups. It has keys for subnets and public addresses, on these two actions only: a
    service outside of the VPC can't have the groups, and one without a public address isn't reached from the internet. RunTask,
    StartTask and CreateTaskSet have neither key, so nothing may allow those.
    """
    statements = []
    if own.security_group_ids:
        statements.append(
            deny(
                "LendNoSecurityGroups",
                ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSecurityGroups"],
                ["*"],
                {"ForAnyValue:StringEquals": {"elasticloadbalancing:SecurityGroup": list(own.security_group_ids)}},
            )
        )
    services = ["ecs:CreateService", "ecs:UpdateService"]
    if own.subnet_ids:
        statements.append(
            deny(
                "LendNoSubnets",
                services,
                ["*"],
                {"ForAnyValue:StringEquals": {"ecs:subnet": list(own.subnet_ids)}},
            )
        )
    statements.append(deny("AssignNoPublicAddresses", services, ["*"], {"Bool": {"ecs:auto-assign-public-ip": "true"}}))
    return statements
