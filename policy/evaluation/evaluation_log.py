"""Collects used exemptions and checks that weren't evaluated, until the report at the end of the run.

In the SDK, a policy reports everything with the same level, so a mandatory policy can't report a note. This log collects
the notes, and the policy ``evaluation-report``, which is advisory and runs last, reports them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, TypeVar

from evaluation.exemptions import Exemption

T = TypeVar("T")


@dataclass(frozen=True)
class UsedExemption:
    """An exemption that suppressed a finding, or the note that a check wasn't evaluated.

    finding: the finding's fingerprint, empty if the exemption isn't of single findings.
    """

    policy: str
    urn: str
    name: str
    check: str
    reason: str
    expires: str
    finding: str = ""


@dataclass
class EvaluationLog:
    """Notes of one run. The SDK's server uses several threads, so a lock is required."""

    _exempted: dict[UsedExemption, None] = field(default_factory=dict)
    _not_evaluated: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    _inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    _names: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    _configured: dict[str, tuple[Exemption, ...]] = field(default_factory=dict)
    _used: dict[str, dict[Exemption, dict[str, str]]] = field(default_factory=dict)
    _ran: set[str] = field(default_factory=set)
    _shared: dict[Any, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def exempted(self, used: UsedExemption, exemption: Exemption) -> None:
        """Note that an exemption was used."""
        with self._lock:
            self._exempted[used] = None
            self._used.setdefault(used.policy, {}).setdefault(exemption, {})[used.finding or used.urn] = used.urn

    def configured(self, policy: str, exemptions: tuple[Exemption, ...]) -> None:
        """Note which exemptions a policy of this run has."""
        self._configured[policy] = exemptions

    def configured_exemptions(self) -> dict[str, tuple[Exemption, ...]]:
        """The exemptions of each policy that ran before."""
        return dict(self._configured)

    def exempted_by(self, policy: str, exemption: Exemption) -> set[str]:
        """The URNs of the resources of which an exemption suppressed findings."""
        return set(self._used.get(policy, {}).get(exemption, {}).values())

    def unused(self) -> dict[str, list[tuple[Exemption, int]]]:
        """The exemptions of each policy that suppressed nothing, or not each of their findings, with how many they did."""
        with self._lock:
            found = {
                policy: [
                    (each, used)
                    for each in given
                    if (used := len(self._used.get(policy, {}).get(each, ()))) < max(1, len(each.findings))
                    and not each.expired
                ]
                for policy, given in self._configured.items()
            }
        return {policy: unused for policy, unused in found.items() if unused}

    def shared(self, policy: str, key: Any, compute: "Callable[[T | None], T]") -> "T":
        """What the policies that evaluate a whole stack share, computed from what has another key.

        A policy that runs again begins another evaluation.
        """
        if policy in self._ran:
            self._ran.clear()
            self._shared.clear()
        self._ran.add(policy)
        if key not in self._shared:
            self._shared[key] = compute(next(iter(self._shared.values()), None))
        return self._shared[key]

    def excused(self, policy: str, urn: str, name: str, check: str, reason: str) -> None:
        """Note that the policy's configuration excuses a resource for a reason, without a last day."""
        with self._lock:
            self._exempted[UsedExemption(policy, urn, name, check, reason, "")] = None

    def not_evaluated(self, policy: str, urn: str, where: str, why: str) -> None:
        """Note that a check of a policy wasn't evaluated, for which property and why."""
        with self._lock:
            self._not_evaluated.setdefault((policy, why), {})[f"{where}\0{urn}"] = None

    def note_inputs(self, urn: str, names: Iterable[str]) -> None:
        """Note which properties the author of a resource set. Only resource policies see inputs.

        Resources of a type mostly have the same properties, whose names the SDK makes anew for each.
        """
        found = frozenset(names)
        self._inputs[urn] = self._names.setdefault(found, found)

    def inputs(self, urn: str) -> frozenset[str] | None:
        """The names of the properties that the author of a resource set; None if no resource policy saw it."""
        return self._inputs.get(urn)

    def drain(self) -> tuple[list[UsedExemption], dict[tuple[str, str], list[str]]]:
        """Return the used exemptions, and the unevaluated properties by policy and reason, and clear the log."""
        with self._lock:
            exempted = list(self._exempted)
            undecided = {
                key: [where.partition("\0")[0] for where in places] for key, places in self._not_evaluated.items()
            }
            self._exempted.clear()
            self._not_evaluated.clear()
            self._inputs.clear()
            self._names.clear()
            self._configured.clear()
            self._used.clear()
            self._ran.clear()
            self._shared.clear()
        return exempted, undecided


EVALUATION_LOG: Final = EvaluationLog()
