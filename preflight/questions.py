"""The questions that preflight and the attacks put to IAM, and the stack that they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from components.names import PhysicalNames

Value: TypeAlias = str | Sequence[str]


@dataclass(frozen=True)
class Question:
    """Whether a principal is allowed `action` on `resource` (an ARN without wildcards, or `*` if AWS supports none)."""

    action: str
    resource: str
    keys: Mapping[str, Value] = field(default_factory=dict)
    """The condition keys of the request and of the resource, as AWS spells them."""


@dataclass(frozen=True)
class Escalation:
    """An attack and its control.

    Attributes:
        name: unique, lowercase with hyphens.
        attack: the attacker's goal, as a clause that follows "a role that Terraform creates can".
        on_roles: whether the control is an IAM action, which only Terraform's own role is allowed.
    """

    name: str
    attack: str
    question: Question
    control: Question
    on_roles: bool = False


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The stack that is attacked.

    Attributes:
        prefix: one of `managedNamePrefixes`.
        boundary_arn: the boundary that the task role must attach to the roles that it creates.
        own_boundary: whether Atlantis' two roles have this boundary too.
        secret_arns: the task's secrets by purpose: `github-app`, `webhook`.
        security_group_ids: Atlantis' security groups by purpose. Before the first deployment, it is empty.
        subnet_ids: the private subnets; empty if they aren't known.
    """

    names: PhysicalNames
    prefix: str
    boundary_arn: str
    own_boundary: bool
    secret_arns: Mapping[str, str]
    security_group_ids: Mapping[str, str] = field(default_factory=dict)
    subnet_ids: Sequence[str] = ()
