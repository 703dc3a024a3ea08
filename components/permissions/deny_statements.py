"""The Deny statements that the task role and the boundary share: what no plan may do, whatever its role allows."""

import dataclasses
import functools
from collections.abc import Sequence

import pulumi

from ..names import PhysicalNames
from ..outputs import with_part
from ..policy_documents import Statement, allow, deny
from ..settings.workers import ROLES

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
"""Actions on roles that support the condition key `iam:PermissionsBoundary`, except those that set or delete the boundary.

Source: the service authorization reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html (November 2026).
PassRole, TagRole and UntagRole do not support it.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OwnStack:
    """Atlantis' own resources, besides those that its names identify."""

    names: PhysicalNames
    secret_arns: Sequence[pulumi.Input[str]]
    parameter_arns: Sequence[pulumi.Input[str]] = ()
    """Parameters of Systems Manager that the server reads, and parameters and secrets of the operator's own containers."""
    deployer_arns: Sequence[pulumi.Input[str]]
    """Roles and users that deploy the stack."""
    permissions_boundary_arn: pulumi.Input[str]
    security_group_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]
    """Subnets in which Terraform can't run ECS services. Empty: no subnet is denied."""
    isolates: bool = False
    """Whether there are workers, and an agent with a log group whose events become metrics."""
    listener_arn: pulumi.Input[str] | None = None
    """The listener of an existing load balancer, which Terraform can't change; None for the stack's own."""
    load_balancer_security_group_id: pulumi.Input[str] | None = None
    """The security group of an existing load balancer, which doesn't have the stack's tags."""


def deny_own_resources(own: OwnStack) -> Statement:
    """Deny all actions on Atlantis' own roles, cluster, image, load balancer, logs and secrets, and on its deployers.

    IAM is global, and the task role of an environment in another region must not access this environment's roles. So the
    statement contains the roles and policies of every environment. All other ARNs contain the region.
    """
    names = own.names
    every_environment = names.policy_arn(names.roles_of_every_environment)
    resources: list[pulumi.Input[str]] = [
        *(names.arn("ecs", resource) for resource in _own_services(own)),
        # IAM documents no wildcard in an ARN's resource type, hence one ARN each for load balancers, listeners and rules:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html ("Incorrect wildcard usage").
        *_load_balancer(own),
        names.arn("elasticloadbalancing", f"targetgroup/{names.target_group}/*"),
        names.repository_arn,
        # With and without the `:*` of its streams; with workers, the agent's log too, whose name begins with this one.
        *([f"{names.log_group_arn}*"] if own.isolates else [names.log_group_arn, f"{names.log_group_arn}:*"]),
        names.role_arn(names.roles_of_every_environment),
        every_environment,
        *own.secret_arns,
        *own.parameter_arns,
        *own.deployer_arns,
    ]
    boundary = own.permissions_boundary_arn
    if not isinstance(boundary, str) or not boundary.startswith(every_environment.rstrip("*")):
        resources.append(own.permissions_boundary_arn)
    actions = ["ecr:*", "ecs:*", "elasticloadbalancing:*", "iam:*", "logs:*", "secretsmanager:*"]
    actions += ["ssm:*"] if own.parameter_arns else []
    return deny("DenyOwnResources", actions, resources)


def _load_balancer(own: OwnStack) -> list[pulumi.Input[str]]:
    """The load balancer in front of the server, its listeners and its rules.

    Who can add a rule to an existing listener can forward every request to the server's target group.
    """
    listener = own.listener_arn

    def pattern(kind: str, of: str) -> str:
        # arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<load balancer's id>/<id>
        return f"{of.partition('listener/app/')[0]}{kind}/app/{of.split('/')[2]}/*"

    own_arn = own.names.arn("elasticloadbalancing", f"listener/app/{own.names.base}/")
    return [
        with_part(functools.partial(pattern, kind), own_arn if listener is None else listener)
        for kind in ("loadbalancer", "listener", "listener-rule")
    ]


def _own_services(own: OwnStack) -> list[str]:
    """The cluster, its services and task definitions. In an existing cluster, Terraform may manage the other services.

    With workers, the pattern of the task definitions begins with the stack's name, because a policy has no room for three.
    """
    base, cluster = own.names.base, own.names.cluster
    families = f"task-definition/{base}*" if own.isolates else f"task-definition/{base}:*"
    if own.names.cluster_name is None:
        return [f"cluster/{base}", f"service/{base}/*", families, f"task-set/{base}/*"]
    services = [base, *(own.names.workers(role) for role in ROLES if own.isolates)]
    return [
        *(f"service/{cluster}/{name}" for name in services),
        families,
        *(f"task-set/{cluster}/{name}/*" for name in services),
    ]


def deny_own_tasks(names: PhysicalNames) -> Statement:
    """Deny a shell in Atlantis' task and stopping it. Task protection stays allowed: a container of the task sets it."""
    actions = ["ecs:DescribeTasks", "ecs:ExecuteCommand", "ecs:StopTask", "ecs:*TagResource"]
    return deny("DenyOwnTasks", actions, [names.arn("ecs", f"task/{names.cluster}/*")])


def deny_unbounded_roles(own: OwnStack) -> list[Statement]:
    """Deny roles without the boundary, and changes to a role's boundary."""
    return [
        deny(
            "DenyRolesWithoutBoundary",
            BOUND_ACTIONS,
            ["*"],
            # Also matches if the key is absent, for a role without a boundary.
            {"StringNotEquals": {"iam:PermissionsBoundary": own.permissions_boundary_arn}},
        ),
        deny("DenyBoundaryChanges", ["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"], ["*"]),
    ]


def deny_by_tag() -> Statement:
    """Deny changes to Atlantis' security groups, whose ARNs contain no name, and to the parts of other environments.

    With a managed prefix such as atlantis-, their names match. Task protection stays allowed, which a container of the task sets.
    """
    changes = ["ec2:*SecurityGroup*", "ec2:*Tags", "ecr:*", "ecs:*Service", "elasticloadbalancing:*", "logs:*"]
    own = {"StringEquals": {"aws:ResourceTag/Service": "atlantis"}}
    # The boundary has no room for a longer name or another action.
    return deny("DenyTag", changes, ["*"], own)


def security_group_statements(names: PhysicalNames, manage: Sequence[str]) -> list[Statement]:
    """Allow the actions `manage` on security groups, their rules and the VPC of a new group, and tags of all but the VPC.

    Other tools select VPCs and subnets by their tags.
    """
    tagged = [names.arn("ec2", f"{kind}/*") for kind in ("security-group", "security-group-rule")]
    return [
        allow("ManageSecurityGroups", manage, [*tagged, names.arn("ec2", "vpc/*")]),
        allow("TagSecurityGroups", ["ec2:CreateTags", "ec2:DeleteTags"], tagged),
        deny_by_tag(),
    ]


def deny_own_network(own: OwnStack) -> list[Statement]:
    """Deny load balancers with Atlantis' own security groups, and ECS services in `subnet_ids` or with public addresses.

    ECS has no condition key for security groups. It has keys for subnets and public addresses, but only for CreateService and
    UpdateService. A service outside the VPC can't use the groups, and the internet can't reach a service without a public
    address. RunTask, StartTask and CreateTaskSet support neither key, so no policy may allow them.
    """
    statements = []
    if own.security_group_ids:
        statements.append(
            deny(
                "DenyUseOfSecurityGroups",
                ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:SetSecurityGroups"],
                ["*"],
                {"ForAnyValue:StringEquals": {"elasticloadbalancing:SecurityGroup": list(own.security_group_ids)}},
            )
        )
    if own.load_balancer_security_group_id is not None:
        group = with_part(
            lambda known: own.names.arn("ec2", f"security-group/{known}"), own.load_balancer_security_group_id
        )
        statements.append(deny("DenyLoadBalancersGroup", ["ec2:*SecurityGroup*", "ec2:*Tags"], [group]))
    services = ["ecs:CreateService", "ecs:UpdateService"]
    if own.subnet_ids:
        statements.append(
            deny(
                "DenyServicesInSubnets",
                services,
                ["*"],
                {"ForAnyValue:StringEquals": {"ecs:subnet": list(own.subnet_ids)}},
            )
        )
    statements.append(deny("DenyPublicAddresses", services, ["*"], {"Bool": {"ecs:auto-assign-public-ip": "true"}}))
    return statements
