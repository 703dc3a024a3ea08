"""Terraform's permissions inside the task, by subject: the statements of the task role.

Every plan runs code from a pull request with these permissions. So actions have no wildcards, resources are `*` only if AWS
supports nothing narrower, and all other resources are limited by name prefix. The Deny statements are in `deny_statements.py`.
"""

import dataclasses
from collections.abc import Sequence

import pulumi

from ..names import PhysicalNames
from ..policy_documents import Statement, allow
from .deny_statements import BOUND_ACTIONS, security_group_statements


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scope:
    """The resources that Terraform manages: those whose name begins with a prefix, in this account and region."""

    names: PhysicalNames
    prefixes: tuple[str, ...]
    permissions_boundary_arn: pulumi.Input[str]
    """Required for every role that Terraform creates."""

    def arns(self, service: str, *patterns: str) -> list[str]:
        """ARNs for each prefix; the prefix replaces `{}` in a pattern."""
        return [self.names.arn(service, pattern.format(prefix)) for prefix in self.prefixes for pattern in patterns]

    @property
    def role_arns(self) -> list[str]:
        return [self.names.role_arn(f"{prefix}*") for prefix in self.prefixes]


def task_protection(names: PhysicalNames) -> list[Statement]:
    """Task protection of Atlantis' own tasks, for the sidecar container (`task_protection.py`)."""
    actions = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
    # An existing cluster has tasks of other services. A task has the tags of its service.
    own = {"aws:ResourceTag/Service": "atlantis", "aws:ResourceTag/Environment": names.environment}
    condition = {"StringEquals": own} if names.cluster_name else None
    return [allow("ProtectOwnTasks", actions, [names.arn("ecs", f"task/{names.cluster}/*")], condition)]


def file_system(file_system_arn: pulumi.Input[str], access_point_arn: pulumi.Input[str]) -> list[Statement]:
    """The data directory, through the access point and not as root."""
    condition = {"StringEquals": {"elasticfilesystem:AccessPointArn": access_point_arn}}
    actions = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    return [allow("MountThroughAccessPoint", actions, [file_system_arn], condition)]


def assume_roles(role_arns: Sequence[pulumi.Input[str]]) -> list[Statement]:
    """Roles of this and other accounts that Terraform can assume, if their trust policies allow the task role."""
    return [allow("AssumeNamedRoles", ["sts:AssumeRole", "sts:TagSession"], role_arns)] if role_arns else []


def read(names: PhysicalNames) -> list[Statement]:
    """Calls that list or describe. The service authorization reference lists a resource type for the last one only."""
    actions = [
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribePrefixLists",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVpcEndpointServices",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
        # Its answer contains the plain environment variables of every task definition in the account.
        "ecs:DescribeTaskDefinition",
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTaskDefinitions",
        "elasticloadbalancing:DescribeCapacityReservation",
        "elasticloadbalancing:DescribeListenerAttributes",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "iam:ListPolicies",
        "iam:ListRoles",
        "logs:DescribeLogGroups",
        "secretsmanager:ListSecrets",
        "sts:GetCallerIdentity",
    ]
    vpcs = [names.arn("ec2", "vpc/*")]
    return [allow("Describe", actions, ["*"]), allow("DescribeVpcs", ["ec2:DescribeVpcAttribute"], vpcs)]


def containers(scope: Scope) -> list[Statement]:
    """ECS and ECR."""
    ecs = [
        "ecs:CreateCluster",
        "ecs:CreateService",
        "ecs:DeleteCluster",
        "ecs:DeleteService",
        "ecs:DescribeClusters",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTagsForResource",
        "ecs:PutClusterCapacityProviders",
        "ecs:RegisterTaskDefinition",
        "ecs:TagResource",
        "ecs:UntagResource",
        "ecs:UpdateCluster",
        "ecs:UpdateClusterSettings",
        "ecs:UpdateService",
    ]
    ecr = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CreateRepository",
        "ecr:DeleteLifecyclePolicy",
        "ecr:DeleteRepository",
        "ecr:DeleteRepositoryPolicy",
        "ecr:DescribeImages",
        "ecr:DescribeRepositories",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRepositoryPolicy",
        "ecr:ListTagsForResource",
        "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability",
        "ecr:PutLifecyclePolicy",
        "ecr:SetRepositoryPolicy",
        "ecr:TagResource",
        "ecr:UntagResource",
    ]
    return [
        allow(
            "ManageServices", ecs, scope.arns("ecs", "cluster/{}*", "service/{}*", "task/{}*", "task-definition/{}*")
        ),
        # The service authorization reference lists no resource type for it. A service keeps running on a deregistered revision.
        allow("DeregisterTaskDefinitions", ["ecs:DeregisterTaskDefinition"], ["*"]),
        allow("ManageRepositories", ecr, scope.arns("ecr", "repository/{}*")),
    ]


def security_groups(scope: Scope) -> list[Statement]:
    """Security groups other than Atlantis' own."""
    actions = [
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateSecurityGroup",
        "ec2:DeleteSecurityGroup",
        "ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
        "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    ]
    return security_group_statements(scope.names, actions)


def load_balancers(scope: Scope) -> list[Statement]:
    """Load balancers. With long prefixes, a policy for these and security groups would exceed the size limit."""
    actions = [
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:CreateRule",
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyRule",
        "elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
        "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:RemoveTags",
        "elasticloadbalancing:SetSecurityGroups",
        "elasticloadbalancing:SetSubnets",
    ]
    return [
        allow(
            "ManageLoadBalancers",
            actions,
            scope.arns(
                "elasticloadbalancing",
                "loadbalancer/app/{}*",
                "loadbalancer/net/{}*",
                "listener/app/{}*",
                "listener/net/{}*",
                "listener-rule/app/{}*",
                "listener-rule/net/{}*",
                "targetgroup/{}*",
            ),
        ),
    ]


def roles(scope: Scope) -> list[Statement]:
    """IAM roles of the managed prefixes: created and changed under the boundary, passed to ECS tasks only."""
    # These don't support the boundary's condition key. No key of PassRole distinguishes roles reliably, so the names must. The
    # preflight reports roles with a managed prefix and without a boundary.
    manage = [
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:ListRoleTags",
        "iam:TagRole",
        "iam:UntagRole",
    ]
    under_boundary = {"StringEquals": {"iam:PermissionsBoundary": scope.permissions_boundary_arn}}
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    return [
        allow("ManageRolesUnderBoundary", BOUND_ACTIONS, scope.role_arns, under_boundary),
        allow("ReadAndTagRoles", manage, scope.role_arns),
        allow("PassManagedRolesToTasks", ["iam:PassRole"], scope.role_arns, to_tasks),
    ]


def logs_and_secrets(scope: Scope) -> list[Statement]:
    """Log groups and secrets of the managed prefixes."""
    logs = [
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ]
    secrets = [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:TagResource",
        "secretsmanager:UntagResource",
        "secretsmanager:UpdateSecret",
    ]
    groups = scope.arns("logs", "log-group:/ecs/{}*", "log-group:{}*")
    return [
        allow("ManageLogGroups", logs, groups),
        allow("ManageSecrets", secrets, scope.arns("secretsmanager", "secret:{}*")),
    ]
