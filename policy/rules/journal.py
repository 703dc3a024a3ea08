"""What the rules let pass and what they could not decide, kept until the report at the end of the run.

The SDK gives a policy one level for all it reports, so a mandatory policy can't add a mere note. The notes are gathered
here and reported by the policy ``evaluation-report``, which is advisory and runs last.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from rules.exemptions import Exemption

__all__ = ["JOURNAL", "Journal", "UsedExemption"]


@dataclass(frozen=True)
class UsedExemption:
    """An exemption that kept a check from reporting a resource, or from being decided on it."""

    policy: str
    urn: str
    name: str
    check: str
    reason: str
    expires: str


@dataclass
class Journal:
    """Notes of one run. The SDK's server works with several threads, hence the lock."""

    _exempted: dict[UsedExemption, None] = field(default_factory=dict)
    _not_evaluated: dict[str, dict[str, None]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def exempted(self, policy: str, urn: str, name: str, check: str, exemption: Exemption) -> None:
        """Note that an exemption was used."""
        with self._lock:
            used = UsedExemption(policy, urn, name, check, exemption.reason, exemption.expires.isoformat())
            self._exempted[used] = None

    def not_evaluated(self, policy: str, urn: str, where: str) -> None:
        """Note that a check of a policy could not be decided, and for which property."""
        with self._lock:
            self._not_evaluated.setdefault(policy, {})[f"{where}\0{urn}"] = None

    def drain(self) -> tuple[list[UsedExemption], dict[str, list[str]]]:
        """Hand over the notes, exemptions and the undecided by policy, and start anew."""
        with self._lock:
            exempted = list(self._exempted)
            undecided = {
                policy: [where.partition("\0")[0] for where in places] for policy, places in self._not_evaluated.items()
            }
            self._exempted.clear()
            self._not_evaluated.clear()
        return exempted, undecided


JOURNAL: Final = Journal()
