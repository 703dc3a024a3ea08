"""One row of the attack table: an attack, what has to refuse it, and a control that has to be allowed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attack.target import Target

__all__ = ["Outcome", "Result", "Row", "SkippedError", "Verdict", "run", "run_all"]


@dataclass(frozen=True)
class Outcome:
    """What an attempt led to: whether it got what it wanted, and what was seen, in a line."""

    allowed: bool
    seen: str


class SkippedError(Exception):
    """Something that the row needs is missing on this machine; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An attack on the deployed stack.

    The control is as close to the attempt as a legitimate use can be: it shows that the attempt was refused for the
    reason that the row gives, and not because the request, the plan or the policy document was wrong.
    """

    name: str
    """Unique, lower case with hyphens, such as ``file-reads-environment``."""
    attack: str
    """What the attacker wants."""
    tried: str
    """The request, the Terraform or the API call that is made."""
    refused_by: str
    """The control that refuses it."""
    attempt: Callable[["Target"], Outcome]
    control: Callable[["Target"], Outcome]
    alone: bool = False
    """Whether it changes what other rows see, such as a lock of all applies: it then runs after the others, by itself."""


class Verdict(Enum):
    """How a row ended. Only ``REFUSED`` and ``SKIPPED`` are acceptable."""

    REFUSED = "refused"
    ALLOWED = "GOT THROUGH"
    CONTROL_REFUSED = "CONTROL REFUSED"
    ERROR = "ERROR"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """The verdict on a row, and what was seen of its attempt and of its control."""

    row: Row
    verdict: Verdict
    attempt: str = ""
    control: str = ""

    @property
    def acceptable(self) -> bool:
        """Whether the wall stands, or could not be tested on this machine."""
        return self.verdict in {Verdict.REFUSED, Verdict.SKIPPED}


_AT_ONCE = 4


def run_all(rows: Iterable[Row], target: "Target") -> Iterator[Result]:
    """The results of all rows, in their order but for those that run alone, which come last; each as soon as it is known."""
    rows = list(rows)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda row: run(row, target), (row for row in rows if not row.alone))
    yield from (run(row, target) for row in rows if row.alone)


def run(row: Row, target: "Target") -> Result:
    """Carry out the attempt and the control. An exception in either is an error of the row, never a refusal.

    An attempt that got through did so whether or not there is a control for it.
    """
    attempt: Outcome | None = None
    try:
        attempt = row.attempt(target)
        control = row.control(target)
    except SkippedError as reason:
        if attempt is not None and attempt.allowed:
            return Result(row, Verdict.ALLOWED, attempt.seen, str(reason))
        return Result(row, Verdict.SKIPPED, str(reason))
    except Exception as problem:  # noqa: BLE001 - the other rows still have to run, and the verdict fails the command
        return Result(row, Verdict.ERROR, f"{type(problem).__name__}: {problem}")
    verdict = Verdict.REFUSED
    if attempt.allowed:
        verdict = Verdict.ALLOWED
    elif not control.allowed:
        verdict = Verdict.CONTROL_REFUSED
    return Result(row, verdict, attempt.seen, control.seen)
