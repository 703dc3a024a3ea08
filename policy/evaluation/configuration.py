"""A policy's configuration: its keys with type and default, and the parser, whose errors list the accepted values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from check_configuration import rendered, schema_problems
from evaluation.aws.networks import Network, parse_network, union
from evaluation.exemptions import Exemptions, exemptions_schema, read_exemption

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
            return {**schema, "type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
        if self.kind == "numbers":
            return {**schema, "type": "array", "items": {"type": "integer", "minimum": 0}}
        items: dict[str, Any] = {"type": "string", "minLength": 1}
        if self.kind == "ranges":
            items["format"] = "cidr"
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


def base_schema(unknowns: Unknowns, checks: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The schema of the keys that every policy has."""
    return {
        "unknowns": {
            "type": "string",
            "enum": list(UNKNOWNS),
            "default": unknowns,
            "description": "How to report a check with unknown values: not at all, in evaluation-report, or as a violation.",
        },
        "exemptions": exemptions_schema(checks),
    }


def read_configuration(
    policy: str, given: Mapping[str, Any], settings: tuple[Option, ...], properties: dict[str, Any], unknowns: Unknowns
) -> Configuration:
    """Read the configuration of a policy. properties: the JSON schema of its keys.

    Raises ``ConfigurationError`` with every unknown key, wrong type, and invalid range, date or check name.
    """
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    found = [f"{rendered(path)} {message}" for path, message in schema_problems(dict(given), schema)]
    if found:
        raise ConfigurationError(f"The configuration of the policy {policy} is invalid: " + "; ".join(found))
    values = {setting.name: given.get(setting.name, setting.default) for setting in settings}
    ranges = {
        setting.name: union(network for value in values[setting.name] if (network := parse_network(value)) is not None)
        for setting in settings
        if setting.kind == "ranges"
    }
    exemptions = Exemptions(read_exemption(each) for each in given.get("exemptions", ()))
    return Configuration(values, given.get("unknowns", unknowns), exemptions, ranges)
