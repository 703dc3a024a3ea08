"""IAM policy documents: functions for statements, and the statements that several policies share."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pulumi

from .names import PhysicalNames

Statement: TypeAlias = dict[str, Any]

MOST_CHARACTERS = 6_144
"""The limit for a managed policy. IAM doesn't count white space."""


def document(statements: Sequence[Statement]) -> str:
    """A policy from statements without outputs, which a preview knows and can evaluate."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def document_of_outputs(statements: Sequence[Statement], policy_id: str | None = None) -> pulumi.Output[str]:
    """A policy from statements with outputs. `policy_id`: its `Id`, for services that add one if it isn't set."""
    identity = {"Id": policy_id} if policy_id else {}
    return pulumi.Output.json_dumps({"Version": "2012-10-17"} | identity | {"Statement": list(statements)})


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], condition: Mapping[str, Any] | None = None
) -> Statement:
    """An Allow statement of an identity-based policy."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": dict(condition)} if condition else {})


def deny(
    sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]], condition: Mapping[str, Any] | None = None
) -> Statement:
    """A Deny statement of an identity-based policy, which no other policy can override."""
    return allow(sid, actions, resources, condition) | {"Effect": "Deny"}


def only_roles(names: PhysicalNames, *roles: str) -> Statement:
    """Principal and condition that match only the account's roles with these names.

    The account is the principal, and the condition limits it to the roles. So AWS accepts a role that doesn't exist yet, and
    a role that was deleted and created again keeps its access.
    """
    return {
        "Principal": {"AWS": names.account_root},
        "Condition": {"ArnLike": {"aws:PrincipalArn": [arn for role in roles for arn in names.sessions_of(role)]}},
    }


def deny_insecure_transport(actions: Sequence[str], resources: Sequence[pulumi.Input[str]]) -> Statement:
    """A statement of a resource-based policy that denies requests without TLS."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": list(actions),
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def trust_role(names: PhysicalNames, role: str) -> str:
    """The trust policy of a role that only sessions of the account's role with this name can assume, with tags or without."""
    return document([{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], **only_roles(names, role)}])


def trust_tasks(names: PhysicalNames) -> str:
    """The trust policy of a role that only this account's ECS tasks can assume."""
    # ECS sends both keys whenever it assumes a task role or a task execution role:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    return document([trusted_service(names, "ecs-tasks", names.arn("ecs", "*"))])


def trusted_service(names: PhysicalNames, service: str, source: str) -> Statement:
    """The statement of a trust policy that lets an AWS service assume the role for this account's resources `source` only."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": names.account},
            "ArnLike": {"aws:SourceArn": source},
        },
    }
