"""Exemptions that were used and checks that could not be decided, kept until the report at the end of the run.

The SDK gives a policy one level for all it reports, so a mandatory policy can't add a mere note. The notes are gathered
here and reported by the policy ``evaluation-report``, which is advisory and runs last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from rules.exemptions import Exemption

__all__ = ["EVALUATION_LOG", "EvaluationLog", "UsedExemption"]


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
class EvaluationLog:
    """Notes of one run. The SDK's server works with several threads, hence the lock."""

    _exempted: dict[UsedExemption, None] = field(default_factory=dict)
    _not_evaluated: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    _inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def exempted(self, policy: str, urn: str, name: str, check: str, exemption: Exemption) -> None:
        """Note that an exemption was used."""
        with self._lock:
            used = UsedExemption(policy, urn, name, check, exemption.reason, exemption.expires.isoformat())
            self._exempted[used] = None

    def not_evaluated(self, policy: str, urn: str, where: str, why: str) -> None:
        """Note that a check of a policy could not be decided, for which property and why."""
        with self._lock:
            self._not_evaluated.setdefault((policy, why), {})[f"{where}\0{urn}"] = None

    def note_inputs(self, urn: str, names: Iterable[str]) -> None:
        """Note which top-level properties the author of a resource set. Only resource policies see inputs."""
        self._inputs[urn] = frozenset(names)

    def inputs(self, urn: str) -> frozenset[str] | None:
        """The names of the properties that the author of a resource set; None where no resource policy saw it."""
        return self._inputs.get(urn)

    def drain(self) -> tuple[list[UsedExemption], dict[tuple[str, str], list[str]]]:
        """Return the used exemptions, and the undecided places by policy and reason, and start anew."""
        with self._lock:
            exempted = list(self._exempted)
            undecided = {
                key: [where.partition("\0")[0] for where in places] for key, places in self._not_evaluated.items()
            }
            self._exempted.clear()
            self._not_evaluated.clear()
            self._inputs.clear()
        return exempted, undecided


EVALUATION_LOG: Final = EvaluationLog()
