"""Exemptions: the resource, the checks that it is exempt from, the reason and the last day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from evaluation.values import wildcard

__all__ = ["EXEMPTIONS_SCHEMA", "Exemption", "Exemptions", "parse_exemptions", "today"]

EXEMPTIONS_SCHEMA: Final[dict[str, Any]] = {
    "type": "array",
    "default": [],
    "description": "Exempt resources. Each entry requires a reason and the last day.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["resource", "reason", "expires"],
        "properties": {
            "resource": {"type": "string", "minLength": 1, "description": "URN or name; * and ? are wildcards."},
            "checks": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Checks to exempt from. Default: all checks of the policy.",
            },
            "reason": {"type": "string", "minLength": 10},
            "expires": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "YYYY-MM-DD"},
        },
    },
}


@dataclass(frozen=True)
class Exemption:
    """One entry of a policy's ``exemptions``.

    ``checks`` empty means every check of the policy; ``expires`` is the last day (UTC) on which it holds.
    """

    resource: str
    checks: frozenset[str]
    reason: str
    expires: date

    def names(self, urn: str, name: str) -> bool:
        """Whether the pattern matches the URN or the name of a resource."""
        return wildcard(urn, self.resource) or wildcard(name, self.resource)

    def covers(self, check: str) -> bool:
        """Whether the exemption covers the check."""
        return not self.checks or check in self.checks

    @property
    def expired(self) -> bool:
        """Whether its last day has passed."""
        return today() > self.expires


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
        found = {*self._exact.get(urn, ()), *self._exact.get(name, ())}
        found |= {position for position in self._patterns if self.entries[position].names(urn, name)}
        return (self.entries[position] for position in sorted(found))

    def __iter__(self) -> Iterator[Exemption]:
        return iter(self.entries)


def today() -> date:
    """The current day in UTC, so that the result doesn't depend on the time zone."""
    return datetime.now(UTC).date()


def parse_exemptions(entries: Any, known_checks: Iterable[str], problems: list[str]) -> tuple[Exemption, ...]:
    """Read a policy's exemptions, and add an error for each invalid one to ``problems``."""
    if not isinstance(entries, list):
        problems.append('"exemptions" must be a list')
        return ()
    checks = frozenset(known_checks)
    parsed = (_parse(f"exemptions[{index}]", entry, checks, problems) for index, entry in enumerate(entries))
    return tuple(exemption for exemption in parsed if exemption is not None)


def _parse(where: str, entry: Any, known_checks: frozenset[str], problems: list[str]) -> Exemption | None:
    if not isinstance(entry, Mapping):
        problems.append(f"{where} must be an object with resource, reason and expires")
        return None
    found = [
        f'{where} has the unknown key "{key}"; use resource, checks, reason and expires'
        for key in entry
        if key not in EXEMPTIONS_SCHEMA["items"]["properties"]
    ]
    found += [
        f'{where} requires the string "{key}"'
        for key in ("resource", "reason", "expires")
        if not isinstance(entry.get(key), str) or not entry[key].strip()
    ]
    checks = entry.get("checks", [])
    if not isinstance(checks, list):
        found.append(f'{where}: "checks" must be a list of check names')
        checks = []
    found += [
        f'{where} has the unknown check "{check}"; the policy has {", ".join(sorted(known_checks))}'
        for check in checks
        if check not in known_checks
    ]
    expires = _parse_day(entry.get("expires"))
    if isinstance(entry.get("expires"), str) and expires is None:
        found.append(f'{where}: "expires" must be a date in the format YYYY-MM-DD, not "{entry["expires"]}"')
    if found or expires is None:
        problems.extend(found)
        return None
    return Exemption(entry["resource"], frozenset(checks), entry["reason"].strip(), expires)


def _parse_day(value: Any) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
