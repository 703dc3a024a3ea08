"""Exemptions: the resource, the checks that it is exempt from, the reason and the last day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from evaluation.values import wildcard


def exemptions_schema(checks: Iterable[str]) -> dict[str, Any]:
    """The JSON schema of the exemptions of a policy with these checks."""
    return {
        "type": "array",
        "default": [],
        "description": "Exempt resources. Each entry requires a reason and the last day.",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["resource", "reason", "expires"],
            "properties": {
                "resource": {
                    "type": "string",
                    "minLength": 1,
                    "description": "URN, type::name or name; * and ? are wildcards.",
                },
                "checks": {
                    "type": "array",
                    "items": {"enum": list(checks)},
                    "description": "Checks to exempt from. Default: all checks of the policy.",
                },
                "findings": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string"},
                    "description": "Fingerprints of the exempted findings, each with its text. Default: every finding of the checks.",
                },
                "reason": {"type": "string", "minLength": 10},
                "expires": {"type": "string", "format": "date", "description": "YYYY-MM-DD"},
            },
        },
    }


@dataclass(frozen=True, eq=False)
class Exemption:
    """One entry of a policy's ``exemptions``.

    ``checks`` empty means every check of the policy; ``expires`` is the last day (UTC) on which it holds. findings: the
    fingerprints of the findings that it covers, each with its text; empty means every finding of the checks.
    """

    resource: str
    checks: frozenset[str]
    reason: str
    expires: date
    findings: Mapping[str, str] = field(default_factory=dict)

    def names(self, urn: str, name: str) -> bool:
        """Whether the pattern matches the URN, its end (``type::name``) or the name of a resource."""
        return any(wildcard(each, self.resource) for each in names_of(urn, name))

    def covers(self, check: str) -> bool:
        """Whether the exemption is about the check."""
        return not self.checks or check in self.checks

    def includes(self, fingerprint: str) -> bool:
        """Whether the exemption covers the finding with this fingerprint, if it covers the check."""
        return not self.findings or fingerprint in self.findings

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return today() > self.expires


def names_of(urn: str, name: str) -> tuple[str, str, str]:
    """The names by which an exemption can name a resource: its URN, its type and name, and its name."""
    kinds, _, last = urn.rpartition("::")
    return urn, f"{kinds.rpartition('::')[2].rpartition('$')[2]}::{last}", name


class Exemptions:
    """A policy's exemptions, indexed by the resources that they name without a wildcard.

    A baseline has an exemption for each finding: a lookup that reads all of them for each resource takes longer than the
    evaluation.
    """

    def __init__(self, entries: Iterable[Exemption]) -> None:
        self.entries = tuple(entries)
        self._exact: dict[str, list[int]] = {}
        self._patterns: list[int] = []
        for position, exemption in enumerate(self.entries):
            if "*" in exemption.resource or "?" in exemption.resource:
                self._patterns.append(position)
            else:
                self._exact.setdefault(exemption.resource, []).append(position)

    def of(self, urn: str, name: str) -> Iterator[Exemption]:
        """The exemptions of a resource, in the order of the configuration."""
        if not self.entries:
            return iter(())
        found = {position for each in names_of(urn, name) for position in self._exact.get(each, ())}
        found |= {position for position in self._patterns if self.entries[position].names(urn, name)}
        return (self.entries[position] for position in sorted(found))

    def __iter__(self) -> Iterator[Exemption]:
        return iter(self.entries)


def today() -> date:
    """The current day in UTC, so that the result doesn't depend on the time zone."""
    return datetime.now(UTC).date()


def read_exemption(entry: Mapping[str, Any]) -> Exemption:
    """A valid entry of a policy's ``exemptions``."""
    expires = date.fromisoformat(entry["expires"])
    checks = frozenset(entry.get("checks", ()))
    return Exemption(entry["resource"], checks, entry["reason"].strip(), expires, entry.get("findings", {}))
