"""Roles that AWS services assume for the stack, each with a single policy."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from .context import Context
from .policy_documents import Statement, document, document_of_outputs


def service_role(
    name: str,
    context: Context,
    *,
    physical_name: str,
    purpose: str,
    trust: Statement,
    policy_name: str,
    statements: Sequence[Statement],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """The role and its policy. Resources that use the role must depend on the policy.

    `purpose`: part of a sentence, as `writes the VPC's flow logs`.
    """
    role = aws.iam.Role(
        name,
        name=physical_name,
        description=f"Atlantis {context.names.environment}: {purpose}",
        assume_role_policy=document([trust]),
        tags=context.tags,
        opts=opts,
    )
    policy = aws.iam.RolePolicy(
        f"{name}-policy",
        name=policy_name,
        role=role.id,
        policy=document_of_outputs(statements),
        opts=opts,
    )
    return role, policy
