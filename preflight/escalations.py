"""What a malicious plan tries with the roles that it has or creates, as requests that `boundary.py` has IAM evaluate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from components.names import PhysicalNames

_ROWS: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)


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


def escalations(setting: Setting) -> list[Escalation]:
    """Every escalation of `escalations.yaml`, for this stack: one for each of its security groups and secrets."""
    names = setting.names
    common: dict[str, Any] = {
        "names": names,
        "prefix": setting.prefix,
        "boundary": setting.boundary_arn,
        "id": "0123456789abcdef",
        "managed_cluster": names.arn("ecs", f"cluster/{setting.prefix}api"),
        "worker": names.role_arn(f"{setting.prefix}worker"),
        "foreign_role": names.role_arn(names.task_role.removesuffix(names.environment) + "another"),
        "administrator": names.aws_policy_arn("AdministratorAccess"),
    }
    groups = setting.security_group_ids.items()
    secrets = setting.secret_arns.items()
    values: Mapping[str, list[dict[str, str]]] = {
        "service": [{}],
        "security group": [{"of": of, "group": id_, "group_name": names.security_group(of)} for of, id_ in groups],
        "subnet": [{"subnet": subnet} for subnet in setting.subnet_ids[:1]],
        "roles": [{}],
        "secret": [{"of": of, "secret": arn, "secret_name": arn.rpartition(":")[2]} for of, arn in secrets],
    }
    return [
        _escalation(row, setting, common | each, on_roles=kind == "roles")
        for kind, rows in _ROWS.items()
        for each in values[kind]
        for row in rows
    ]


def _escalation(row: Mapping[str, Any], setting: Setting, values: Mapping[str, Any], *, on_roles: bool) -> Escalation:
    question, control = (_question(each, setting, values) for each in (row, {**row, **row["control"]}))
    return Escalation(row["name"].format(**values), row["attack"].format(**values), question, control, on_roles)


def _question(row: Mapping[str, Any], setting: Setting, values: Mapping[str, Any]) -> Question:
    resource = row["resource"].format(**values)
    service, _, rest = resource.partition(":")
    keys = row.get("keys", {})
    if isinstance(keys, str):
        # The boundary that Terraform's roles have, which Atlantis' own have only if it is given.
        given = keys == "bound" or setting.own_boundary
        keys = {"iam:PermissionsBoundary": setting.boundary_arn} if given else {}
    return Question(
        row["action"],
        resource if service == "arn" else setting.names.arn(service, rest),
        {
            key: value.format(**values) if isinstance(value, str) else [each.format(**values) for each in value]
            for key, value in keys.items()
        },
    )
