"""The boundary of the roles that Terraform creates: their maximum permissions, whatever their own policies allow.

A plan can create a role, allow `*` in its policy and start a task with it. So the boundary allows no more than Terraform itself
may do to managed resources, and repeats the Deny statements of `deny_statements.py`. It omits three of Terraform's subjects, because
no application needs them: IAM, the Terraform states, which contain secrets of all projects, and the file system.

A boundary is one policy of at most 6,144 characters. If all actions of a kind are harmless on a managed resource, the policy
uses a wildcard for them.
"""

import json
from collections.abc import Sequence

import pulumi

from ..names import PhysicalNames
from ..policy_documents import MOST_CHARACTERS, Statement, allow, deny, document_of_outputs
from .deny_statements import (
    OwnStack,
    deny_by_tag,
    deny_own_network,
    deny_own_resources,
    deny_own_tasks,
    deny_unbounded_roles,
    security_group_statements,
)
from .task_role import Scope

_SECURITY_GROUP, _SUBNET = f"sg-{'0' * 17}", f"subnet-{'0' * 17}"
_MOST_SECURITY_GROUPS = 5

_READ = (
    "ec2:DescribeSecurityGroup*",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpc*",
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "ecs:List*",
    "elasticloadbalancing:Describe*",
    "logs:DescribeLogGroups",
)
"""Actions that can't be limited to managed resources."""

_MANAGE = (
    # Without RunTask, StartTask, CreateTaskSet and ExecuteCommand, because deny_statements.py can't keep them out of Atlantis' network.
    "ecs:*Cluster*",
    "ecs:*TagResource",
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DescribeServices",
    "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
    "ecr:*Image*",
    "ecr:*Layer*",
    "ecr:*LifecyclePolicy*",
    "ecr:*Repository*",
    "ecr:*Tag*",
    "elasticloadbalancing:*Listener*",
    "elasticloadbalancing:*LoadBalancer*",
    "elasticloadbalancing:*Rule*",
    "elasticloadbalancing:*Tags",
    "elasticloadbalancing:*Target*",
    "elasticloadbalancing:SetS*",
    # Without read actions: a task's execution role only writes the log.
    "logs:*RetentionPolicy",
    "logs:*Tag*",
    "logs:CreateLog*",
    "logs:DeleteLogGroup",
    "logs:PutLogEvents",
    "secretsmanager:*Secret",
    "secretsmanager:*SecretValue",
    "secretsmanager:*TagResource",
    "secretsmanager:GetResourcePolicy",
)


def statements(scope: Scope, own: OwnStack) -> list[Statement]:
    """The document's statements: Terraform's permissions by subject, except on Atlantis' own resources."""
    managed = [
        *scope.arns("ecs", "cluster/{}*", "service/{}*", "task-definition/{}*"),
        *scope.arns("ecr", "repository/{}*"),
        # The first `*` matches app and net. The ARN of a Classic Load Balancer has no such part.
        *scope.arns(
            "elasticloadbalancing", "loadbalancer/*/{}*", "listener/*/{}*", "listener-rule/*/{}*", "targetgroup/{}*"
        ),
        *scope.arns("logs", "log-group:/ecs/{}*", "log-group:{}*"),
        *scope.arns("secretsmanager", "secret:{}*"),
    ]
    return [
        allow("Read", _READ, ["*"]),
        allow("ManageByName", _MANAGE, managed),
        *security_group_statements(scope.names, ["ec2:*SecurityGroup*"]),
        deny_own_resources(own),
        *deny_own_network(own),
    ]


def statements_for_any_role(own: OwnStack) -> list[Statement]:
    """A template for an operator's boundary: everything except Atlantis' own resources and actions that bypass the boundary.

    It can be attached to the task role, which creates roles, and to the execution role, which reads Atlantis' secrets.
    """
    not_the_starter = {"ArnNotLike": {"aws:PrincipalArn": own.names.sessions_of(own.names.execution_role)}}
    elsewhere = {"StringNotEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    return [
        allow("Everything", ["*"], ["*"]),
        deny_own_resources(own) | {"Condition": not_the_starter},
        *against_bypasses(own),
        deny("PassRolesToTasksOnly", ["iam:PassRole"], ["*"], elsewhere),
    ]


def against_bypasses(own: OwnStack) -> list[Statement]:
    """Deny statements for roles whose permissions the stack doesn't choose."""
    identities = ["iam:*AccessKey*", "iam:*Group*", "iam:*LoginProfile*", "iam:*User*"]
    policies = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
    return [
        deny_own_tasks(own.names),
        *deny_unbounded_roles(own),
        deny("DenyUsers", identities, ["*"]),
        deny("DenyPolicyChanges", policies, ["*"]),
        deny_by_tag(),
        *deny_own_network(own),
        deny("DenyTasksWithoutService", ["ecs:CreateTaskSet", "ecs:RunTask", "ecs:StartTask"], ["*"]),
    ]


def fitting_document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """The boundary's document. With the name of a secret that is an output, its length is known only here."""
    return document_of_outputs(statements).apply(_fitting)


def _fitting(document: str) -> str:
    length = len(json.dumps(json.loads(document), separators=(",", ":")))
    if length > MOST_CHARACTERS:
        raise pulumi.RunError(
            f"The permissions boundary that the stack creates would have {length:,} characters, and IAM allows {MOST_CHARACTERS:,}; "
            "use secrets with shorter names, name fewer managed prefixes, or set a permissions boundary"
        )
    return document


def require_fit(
    names: PhysicalNames,
    prefixes: Sequence[str],
    existing_secret_names: Sequence[pulumi.Input[str]],
    subnets: int,
    listener_arn: pulumi.Input[str] | None = None,
    *,
    isolates: bool = False,
) -> None:
    """Check the boundary's length before anything is registered, with placeholders of the same length for unknown IDs.

    A secret's name that is an output has no known length, so `fitting_document` checks the length again.

    Raises:
        pulumi.RunError: the prefixes are too many or too long for one policy.
    """
    arn = names.policy_arn(names.permissions_boundary)
    own = OwnStack(
        names=names,
        secret_arns=[
            names.own_secrets,
            *(names.secret_pattern(name) for name in existing_secret_names if isinstance(name, str)),
        ],
        deployer_arns=(),
        permissions_boundary_arn=arn,
        security_group_ids=[_SECURITY_GROUP] * (_MOST_SECURITY_GROUPS + 2 * isolates),
        isolates=isolates,
        subnet_ids=[_SUBNET] * subnets,
        listener_arn=listener_arn if isinstance(listener_arn, str) else None,
        load_balancer_security_group_id=_SECURITY_GROUP if listener_arn is not None else None,
    )
    scope = Scope(names=names, prefixes=tuple(prefixes), permissions_boundary_arn=arn)
    document = {"Version": "2012-10-17", "Statement": statements(scope, own)}
    length = len(json.dumps(document, separators=(",", ":")))
    if length > MOST_CHARACTERS:
        raise pulumi.RunError(
            f"atlantis:managedNamePrefixes = {list(prefixes)}: the permissions boundary that the stack creates would have "
            f"{length:,} characters, and IAM allows {MOST_CHARACTERS:,}; name fewer or shorter prefixes, or set "
            "atlantis:permissionsBoundaryArn. Nothing was touched"
        )
