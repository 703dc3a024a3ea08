"""Roles that AWS services assume for the stack, each with a single policy."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..policy_documents import Statement, document, document_of_outputs

__all__ = ["ServiceRoleInputs", "service_role"]


@dataclasses.dataclass(kw_only=True)
class ServiceRoleInputs:
    """The service that assumes the role, and its permissions."""

    context: Context
    physical_name: str
    purpose: str
    """The purpose of the role, as part of a sentence: `writes the VPC's flow logs`."""
    trust: Statement
    policy_name: str
    statements: Sequence[Statement]


def service_role(
    name: str, args: ServiceRoleInputs, opts: pulumi.ResourceOptions
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """The role and its policy. Resources that use the role must depend on the policy."""
    role = aws.iam.Role(
        name,
        name=args.physical_name,
        description=f"Atlantis {args.context.names.environment}: {args.purpose}",
        assume_role_policy=document([args.trust]),
        tags=args.context.tags,
        opts=opts,
    )
    policy = aws.iam.RolePolicy(
        f"{name}-policy",
        name=args.policy_name,
        role=role.id,
        policy=document_of_outputs(args.statements),
        opts=opts,
    )
    return role, policy
