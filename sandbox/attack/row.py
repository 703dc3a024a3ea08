"""One row of the attack table: an attack that must be denied, and a control that must be allowed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.testbed.yaml_files import read_yaml

if TYPE_CHECKING:
    from sandbox.attack.target import Target

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """The outcome of an attempt: whether it was allowed, and one line that describes the result."""

    allowed: bool
    seen: str


class SkippedError(Exception):
    """A prerequisite of the row is missing on this machine; the message names it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An attack on the deployed stack.

    The control is a legitimate use that is as similar to the attempt as possible. It shows that the attempt was denied for the
    stated reason, and not because the request, the plan or the policy document was invalid.
    """

    name: str
    """Unique, lowercase with hyphens, such as ``file-own-environment``."""
    attack: str
    """The goal of the attacker."""
    tried: str
    """The request, the Terraform code or the API call."""
    refused_by: str
    """The security control that denies it."""
    attempt: Callable[["Target"], Outcome]
    control: Callable[["Target"], Outcome]
    isolation: bool = False
    """Whether only a stack with `terraformIsolation: tasks` denies it. On another stack, the row is skipped."""
    alone: bool = False
    """Whether it affects other rows, such as a lock of all applies. Such rows run one by one after the others."""


def row(name: str, attempt: Callable[["Target"], Outcome], control: Callable[["Target"], Outcome]) -> Row:
    """A row with its texts in rows.yaml."""
    texts = {key: value for key, value in _ROWS[name].items() if key in _TEXTS}
    return Row(name=name, attempt=attempt, control=control, **texts)


def described(*keys: str) -> dict[str, tuple[Any, ...]]:
    """The values of ``keys``, by row, of the rows in rows.yaml that have all of them."""
    return {name: tuple(map(found.get, keys)) for name, found in _ROWS.items() if found.keys() >= set(keys)}


def script(name: str, **values: object) -> str:
    """The script of the row ``name`` for a provider of the pull request, with ``values`` for their names between at signs."""
    return filled(_ROWS[name]["script"], **values)


def files(name: str, **values: object) -> dict[str, str]:
    """The files of the row ``name`` for a pull request, likewise."""
    return {path: filled(text, **values) for path, text in _ROWS[name]["files"].items()}


def filled(text: str, **values: object) -> str:
    """``text`` with ``values`` for their names between at signs: scripts are full of braces and dollar signs."""
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text.strip()


def row_of_one_run(
    name: str, run: Callable[["Target"], T], attempt: Callable[[T], Outcome], control: Callable[[T], Outcome]
) -> Row:
    """A row whose attempt and control are two questions about the same run."""

    def result(target: "Target") -> T:
        return target.once(f"{name}-run", lambda: run(target))

    return row(name, lambda target: attempt(result(target)), lambda target: control(result(target)))


_TEXTS = frozenset({"attack", "tried", "refused_by", "isolation", "alone"})
_ROWS: dict[str, dict[str, Any]] = read_yaml(Path(__file__).with_name("rows.yaml"))


class Verdict(Enum):
    """The result of a row. Only ``REFUSED`` and ``SKIPPED`` are acceptable."""

    REFUSED = "denied"
    ALLOWED = "ALLOWED"
    CONTROL_REFUSED = "CONTROL DENIED"
    ERROR = "ERROR"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """The verdict of a row, and the results of its attempt and its control."""

    row: Row
    verdict: Verdict
    attempt: str = ""
    control: str = ""

    @property
    def acceptable(self) -> bool:
        """Whether the attack was denied, or couldn't be tested on this machine."""
        return self.verdict in {Verdict.REFUSED, Verdict.SKIPPED}


_AT_ONCE = 4


def run_all(rows: Iterable[Row], target: "Target") -> Iterator[Result]:
    """The results of all rows as they become available, in order; rows that run alone are last."""
    rows = list(rows)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda row: _run_if_meant(row, target), (row for row in rows if not row.alone))
    yield from (_run_if_meant(row, target) for row in rows if row.alone)


def _run_if_meant(row: Row, target: "Target") -> Result:
    if row.isolation and not target.isolated:
        return Result(row, Verdict.SKIPPED, "this stack doesn't promise it: terraformIsolation isn't tasks")
    return run(row, target)


def run(row: Row, target: "Target") -> Result:
    """Run the attempt and the control. An exception in either is an error of the row, never a denial.

    A successful attempt counts even if its control can't run.
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
