"""The least-privilege policies that allow the calls of a rehearsal: exact actions, the resources seen, the conditions supplied.

A second run makes the same calls with other generated IDs, and so does AWS. Generated parts of ARNs therefore become
wildcards. All other parts stay as they were seen. A resource is ``*`` only if the service authorization reference has no
resource type for the action.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.repository_rehearsal.decisions import Call
from sandbox.testbed.iam_evaluation.evaluator import Reference
from sandbox.testbed.iam_evaluation.resource_arns import UNNAMED, matches

LARGEST_POLICY = 6144
"""IAM's quota for the characters of a managed policy, without whitespace."""

UNVERIFIED = "unverified"
"""The beginning of a reason: IAM's answer on AWS can differ from the sandbox'."""
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GENERATED: Sequence[tuple[str, str, str]] = (
    ("", _UUID, "*"),
    # Terraform's name_prefix: a timestamp of 18 digits and a counter of 8 hexadecimal ones.
    ("", r"\d{18}[0-9a-f]{8}(?![0-9a-f])", "*"),
    (":application-autoscaling:", r"(?<=scalable-target/)[0-9a-f]{32}$", "*"),
    ("", rf"(?<=[/:]){UNNAMED}(?=$|[/:])", "*"),
    # IDs such as vpc-0123456789abcdef0, also as a part of a name that Terraform builds from one
    ("", r"\b([a-z]{1,12})-[0-9a-f]{17}(?=$|[/:])", r"\1-*"),
    (":ec2:", r"\b([a-z]{1,12})-[0-9a-f]{8,17}(?=$|[/:])", r"\1-*"),
    (":elasticfilesystem:", r"\b([a-z]{1,12})-[0-9a-f]{8,17}(?=$|[/:])", r"\1-*"),
    # The last parts of loadbalancer/app/name/50dc6c495c0c9188
    (":elasticloadbalancing:", r"(?<=/)[0-9a-z]{16}(?=$|/)", "*"),
    # Keys of several regions
    (":kms:", r"(?<=key/mrk-)[0-9a-f]{32}$", "*"),
    # Changes of records, which aren't in Terraform's state
    (":route53:", r"(?<=:change/)\w+$", "*"),
    (":secretsmanager:", r"(:secret:.+)-[A-Za-z0-9]{6}$", r"\1-??????"),
    # AWS' own parameters belong to no account, but the evaluator requires one.
    (":ssm:", r":\d{12}:(?=parameter/aws/service/)", ":*:"),
    (":ecs:", r"(:task-definition/[^:]+):\d+$", r"\1:*"),
)
"""Generated parts: the service in the ARN (or any), an expression, and its replacement."""

CONDITIONS = frozenset(
    {
        "ec2:CreateAction",
        "elasticfilesystem:CreateAction",
        "elasticloadbalancing:CreateAction",
        "iam:PassedToService",
        "iam:PermissionsBoundary",
        "iam:PolicyARN",
        "kms:ViaService",
    }
)
"""Condition keys with which a statement is narrowed if each call supplied a value: they limit what the action does."""


@dataclass(frozen=True)
class Statement:
    """A statement that allows ``actions``.

    Attributes:
        reason: why its resource is as wide as it is, and what it is for if no plan or apply needed it; empty if neither.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reason: str = ""

    def document(self, sid: str) -> dict[str, Any]:
        """The statement in IAM's JSON."""
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
            **({"Condition": self._conditions()} if self.condition else {}),
        }

    def _conditions(self) -> dict[str, dict[str, list[str]]]:
        operators: dict[str, dict[str, list[str]]] = {}
        for key, values in self.condition:
            like = "StringLike" if any("*" in value or "?" in value for value in values) else "StringEquals"
            operator = "ArnLike" if key.endswith("ARN") else like
            operators.setdefault(operator, {})[key] = list(values)
        return operators


def pattern(arn: str) -> str:
    """The ARN with wildcards for the parts that are generated at each creation."""
    for service, generated, replacement in _GENERATED:
        if service in arn:
            arn = re.sub(generated, replacement, arn)
    return arn


def statements(
    calls: Iterable[Call],
    reference: Callable[[str], Reference],
    *,
    purpose: str = "",
    beyond: Iterable[Statement] = (),
) -> list[Statement]:
    """The statements that allow ``calls``: each action on the resources on which it was seen.

    ``purpose`` becomes a part of each reason. What the statements ``beyond`` allow is left out.
    """
    allowed = {(action, arn, item.condition) for item in beyond for action in item.actions for arn in item.resources}
    found: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        found.setdefault((call.action, pattern(call.resource)), []).append(call)
    merged: dict[tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]], set[str]] = {}
    resources: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], set[str]] = {}
    for (action, resource), seen in found.items():
        condition = _condition(seen)
        if not {(action, resource, condition), (action, resource, ())} & allowed:
            resources.setdefault((action, condition), set()).add(resource)
    for (action, condition), arns in resources.items():
        merged.setdefault((tuple(sorted(arns)), condition), set()).add(action)
    return [
        Statement(
            tuple(sorted(actions)),
            arns,
            condition,
            "; ".join(filter(None, (purpose, _reason(actions, arns, reference)))),
        )
        for (arns, condition), actions in sorted(merged.items(), key=lambda item: (sorted(item[1]), item[0]))
    ]


def _condition(calls: Sequence[Call]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    common = set.intersection(*({key for key in call.keys if key in CONDITIONS} for call in calls))
    return tuple((key, tuple(sorted({pattern(str(call.keys[key])) for call in calls}))) for key in sorted(common))


def _reason(actions: Iterable[str], arns: Sequence[str], reference: Callable[[str], Reference]) -> str:
    if unverified := [
        action for action in sorted(actions) if not all(_is_listed(action, arn, reference) for arn in arns)
    ]:
        return f"{UNVERIFIED}: AWS' reference doesn't list {', '.join(unverified)} on such resources, so the local AWS decided alone"
    if arns == ("*",):
        unlimited = [action for action in sorted(actions) if reference(action).types]
        if unlimited:
            return f"the call named no resource, and the sandbox knows no narrower one for {', '.join(unlimited)}"
        return "the service authorization reference has no resource type for these actions"
    return "AWS or Terraform generates this part of the ARN" if any("*" in arn or "?" in arn for arn in arns) else ""


def _is_listed(action: str, arn: str, reference: Callable[[str], Reference]) -> bool:
    """Whether the reference has the action, and for it a type of the resource."""
    try:
        types = reference(action).types
    except ValueError:
        return False
    return arn == "*" or any(matches(type_.arn, arn) for type_ in types)


def documents(found: Sequence[Statement], name: str) -> dict[str, Mapping[str, Any]]:
    """The policies, by name, with these statements: as few as IAM's quota allows, and none without a statement.

    Raises:
        ValueError: a statement alone exceeds the quota.
    """
    groups: list[list[dict[str, Any]]] = []
    for number, statement in enumerate(found, 1):
        written = statement.document(f"Rehearsed{number}")
        if _size([written]) > LARGEST_POLICY:
            raise ValueError(f"the statement for {', '.join(statement.actions)} exceeds {LARGEST_POLICY} characters")
        if not groups or _size([*groups[-1], written]) > LARGEST_POLICY:
            groups.append([])
        groups[-1].append(written)
    return {
        f"{name}-{number}" if len(groups) > 1 else name: {"Version": "2012-10-17", "Statement": group}
        for number, group in enumerate(groups, 1)
    }


def _size(group: Sequence[Mapping[str, Any]]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": group}, separators=(",", ":")))
