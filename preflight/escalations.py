"""What a malicious plan tries with the roles that it has or creates, as requests that `boundary.py` has IAM evaluate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from preflight.questions import Escalation, Question, Setting

_ROWS: Mapping[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)


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
