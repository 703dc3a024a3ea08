"""A policy's configuration: its keys with type and default, and the parser, whose errors list the accepted values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Literal

from evaluation.aws.networks import Network, parse_network, union
from evaluation.exemptions import EXEMPTIONS_SCHEMA, Exemptions, parse_exemptions
from evaluation.values import integer

__all__ = ["Configuration", "ConfigurationError", "Kind", "Option", "Unknowns", "did_you_mean", "read_configuration"]

Kind = Literal["strings", "ranges", "number", "numbers", "flag", "pairs"]
Unknowns = Literal["pass", "advisory", "mandatory"]

UNKNOWNS: Final = ("pass", "advisory", "mandatory")


class ConfigurationError(Exception):
    """A policy's configuration is invalid. The message lists every problem and the accepted values."""


@dataclass(frozen=True)
class Option:
    """One configuration key of a policy.

    kind: ``strings`` (a list of strings), ``ranges`` (a list of CIDR blocks), ``number`` (a non-negative
    integer), ``numbers`` (a list of them), ``flag`` (a boolean) or ``pairs`` (an object of strings).
    accepted: for ``strings``, the accepted list items; empty means any.
    """

    name: str
    kind: Kind
    default: Any
    description: str
    accepted: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """The key's JSON schema, which the engine validates before the pack runs."""
        schema: dict[str, Any] = {"description": self.description, "default": self.default}
        if self.kind == "number":
            return {**schema, "type": "integer", "minimum": 0}
        if self.kind == "flag":
            return {**schema, "type": "boolean"}
        if self.kind == "pairs":
            return {**schema, "type": "object", "additionalProperties": {"type": "string"}}
        if self.kind == "numbers":
            return {**schema, "type": "array", "items": {"type": "integer", "minimum": 0}}
        items: dict[str, Any] = {"type": "string", "minLength": 1}
        return {**schema, "type": "array", "items": {**items, "enum": list(self.accepted)} if self.accepted else items}


@dataclass(frozen=True)
class Configuration:
    """The validated configuration of one policy.

    ``ranges`` contains the CIDR keys as networks merged by ``networks.union``.
    """

    values: Mapping[str, Any]
    unknowns: Unknowns
    exemptions: Exemptions = field(default_factory=lambda: Exemptions(()))
    ranges: Mapping[str, tuple[Network, ...]] = field(default_factory=dict)

    def strings(self, name: str) -> list[str]:
        """The value of a key that is a list of strings."""
        return self.values[name]

    def number(self, name: str) -> int:
        """The value of a key that is an integer."""
        return int(self.values[name])

    def numbers(self, name: str) -> list[int]:
        """The value of a key that is a list of integers."""
        return [int(value) for value in self.values[name]]

    def pairs(self, name: str) -> dict[str, str]:
        """The value of a key that is an object of strings."""
        return self.values[name]

    def flag(self, name: str) -> bool:
        """The value of a key that is a boolean."""
        return self.values[name]


def base_schema(unknowns: Unknowns) -> dict[str, dict[str, Any]]:
    """The schema of the keys that every policy has."""
    return {
        "unknowns": {
            "type": "string",
            "enum": list(UNKNOWNS),
            "default": unknowns,
            "description": "How to report a check with unknown values: not at all, in evaluation-report, or as a violation.",
        },
        "exemptions": EXEMPTIONS_SCHEMA,
    }


def did_you_mean(word: str, known: list[str]) -> str:
    """A hint for a misspelled name: the nearest valid name, or all valid names."""
    near = get_close_matches(word, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"valid names are {', '.join(sorted(known))}"


def read_configuration(
    policy: str, given: Mapping[str, Any], settings: tuple[Option, ...], checks: tuple[str, ...], unknowns: Unknowns
) -> Configuration:
    """Read the configuration of a policy.

    Raises ``ConfigurationError`` with every unknown key, wrong type, and invalid range, date or check name.
    """
    problems: list[str] = []
    known = [setting.name for setting in settings]
    for key in given:
        if key not in known and key not in ("unknowns", "exemptions"):
            problems.append(f'unknown key "{key}"; {did_you_mean(key, [*known, "unknowns", "exemptions"])}')
    values = {setting.name: given.get(setting.name, setting.default) for setting in settings}
    ranges: dict[str, tuple[Network, ...]] = {}
    for setting in settings:
        complaint = _complaint(setting, values[setting.name])
        if complaint:
            problems.append(f'"{setting.name}" {complaint}')
        elif setting.kind == "ranges":
            ranges[setting.name] = union(
                network for value in values[setting.name] if (network := parse_network(value)) is not None
            )
    level = given.get("unknowns", unknowns)
    if level not in UNKNOWNS:
        problems.append(f'"unknowns" must be one of {", ".join(UNKNOWNS)}')
    exemptions = parse_exemptions(given.get("exemptions", []), checks, problems)
    if problems:
        raise ConfigurationError(f"The configuration of the policy {policy} is invalid: " + "; ".join(problems))
    return Configuration(values, level, Exemptions(exemptions), ranges)


def _complaint(setting: Option, value: Any) -> str | None:
    shapes = {
        "flag": (isinstance(value, bool), "must be true or false"),
        "number": (_is_count(value), "must be a non-negative integer"),
        "numbers": (
            isinstance(value, list) and all(_is_count(element) for element in value),
            "must be a list of non-negative integers",
        ),
        "pairs": (
            isinstance(value, Mapping) and all(isinstance(each, str) and each for each in value.values()),
            "must be an object whose values are non-empty strings",
        ),
    }
    if setting.kind in shapes:
        sound, complaint = shapes[setting.kind]
        return None if sound else complaint
    if not isinstance(value, list) or not all(isinstance(element, str) and element for element in value):
        return "must be a list of non-empty strings"
    if setting.kind == "ranges":
        wrong = [element for element in value if parse_network(element) is None]
        return f"must contain CIDR blocks only, not {', '.join(wrong)}" if wrong else None
    odd = [element for element in value if setting.accepted and element not in setting.accepted]
    return f"must contain only {', '.join(setting.accepted)}, not {', '.join(odd)}" if odd else None


def _is_count(value: Any) -> bool:
    whole = None if isinstance(value, str) else integer(value)
    return whole is not None and whole >= 0
