"""The effect of the adoption on each pair: no change, changes in place, kept old values, and problems."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.pairing import Pair, Pairing
from adoption.properties import MISSING, attribute, same, snake
from adoption.state import StateResource

__all__ = ["Adopted", "Change", "Refusal", "judge"]

SHOWN = 60
"""Characters of a value in a table."""

WHY: Mapping[str, str] = {
    "accessLogs": "requests are logged",
    "assumeRolePolicy": "only tasks of this account can assume it",
    "defaultActions": "requests that no rule allows get a 403",
    "description": "this program's text",
    "dropInvalidHeaderFields": "the load balancer drops invalid headers",
    "enableDeletionProtection": "deletionProtection",
    "enableKeyRotation": "keys are rotated",
    "imageTagMutability": "a tag can't move to another image",
    "kmsKeyId": "encrypted with a customer managed key",
    "permissionsBoundary": "permissionsBoundaryArn",
    "policy": "lists the principals that can use it, and for which service",
    "privateDnsEnabled": "private DNS: the task reaches the service by its name",
    "retentionInDays": "logRetentionDays",
    "subnets": "the settings' subnets",
    "tags": "the tags of this stack",
    "taskDefinition": "the program registers this revision, which starts the deployment of the adoption",
}
"""Reasons for changed properties."""


@dataclass(frozen=True)
class Change:
    """One property that differs. Values are shortened, and values of sensitive properties are hidden."""

    property: str
    old: str
    new: str
    why: str


@dataclass(frozen=True)
class Refusal:
    """A change that would replace a resource that must not be replaced."""

    logical_name: str
    address: str
    change: Change


@dataclass
class Adopted:
    """One pair, and the effect of the adoption on it."""

    pair: Pair
    changes: list[Change] = field(default_factory=list)
    """Properties that change in place."""
    kept: list[str] = field(default_factory=list)
    """Properties, or paths in them, that keep their old value."""
    refusals: list[Refusal] = field(default_factory=list)


def judge(pairing: Pairing) -> list[Adopted]:
    """The effect of the adoption on each pair."""
    return [_judge(pair, pairing) for pair in pairing.pairs.values()]


def _judge(pair: Pair, pairing: Pairing) -> Adopted:
    adopted = Adopted(pair)
    for name, old, new in _differences(pair, pairing):
        kept = _kept_path(pair, name, old, new, pairing)
        change = _shown(pair.actual, name, old, new)
        if kept:
            adopted.kept.append(kept)
        elif name not in pair.kind.force_new:
            adopted.changes.append(change)
        else:
            adopted.refusals.append(Refusal(pair.wanted.name, pair.actual.address, change))
    return adopted


def _differences(pair: Pair, pairing: Pairing) -> Iterator[tuple[str, Any, Any]]:
    for name, new in pair.wanted.inputs.items():
        old = attribute(pair.actual.attributes, name)
        # An attribute that the state's provider version doesn't have can't be compared here. The preview compares it.
        if old is not MISSING and not same(new, old, pairing.resolve):
            yield name, old, new
    for name in sorted(pair.kind.keep - pair.wanted.inputs.keys()):
        old = attribute(pair.actual.attributes, name)
        if old is not MISSING and old not in (None, "", [], {}, 0, False) and "." not in name and name != "description":
            yield name, old, None


def _kept_path(pair: Pair, name: str, old: Any, new: Any, pairing: Pairing) -> str:
    """`name`, or the part of it that differs, if the old value is kept; an empty string otherwise."""
    if name in pair.kind.keep:
        return name
    block = old[0] if isinstance(old, list) and old else old
    if not isinstance(new, Mapping) or not isinstance(block, Mapping):
        return ""
    differing = [key for key, value in new.items() if not same(value, attribute(block, key), pairing.resolve)]
    paths = [f"{name}.{key}" for key in differing]
    return paths[0] if len(paths) == 1 and paths[0] in pair.kind.keep else ""


def _shown(actual: StateResource, name: str, old: Any, new: Any) -> Change:
    # The name of a list is plural in Pulumi and singular in Terraform.
    hidden = bool({snake(name), snake(name).removesuffix("s")} & actual.sensitive)
    return Change(name, "(sensitive)" if hidden else _text(old), "(sensitive)" if hidden else _text(new), _why(name))


def _why(name: str) -> str:
    return WHY.get(name, "as the program has it")


def _text(value: Any) -> str:
    """A shortened value. Documents and blocks are replaced by their kind, because they can contain secrets."""
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        text = str(value)
        if text.startswith(("{", "[")):
            return "(document)"
        return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        text = ", ".join(value)
        return text if len(text) <= SHOWN else f"{len(value)} values"
    return "(block)"
