"""What docs/security.md promises about plans, sentence by sentence, against the rows of the attack table that show it."""

import fnmatch
import re

from sandbox.attack.table import ROWS
from sandbox.testbed.paths import CHECKOUT
from tests.tables import table

TEXT = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")

ON_EVERY_STACK = table(__file__, "on_every_stack")
WITH_ISOLATION = table(__file__, "with_isolation")
OF_DRIFT_DETECTION = ("api-secret-*",)
"""The API's secret, which only a stack with drift detection has: docs/drift.md."""


def _promises(after: str) -> list[str]:
    """The items of the list after a line of the document."""
    listed = TEXT.partition(f"{after}\n\n")[2].partition("\n\n")[0]
    return [" ".join(item.split()) for item in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]]


def _rows(patterns: tuple[str, ...], *, isolation: bool) -> set[str]:
    found = set()
    for pattern in patterns:
        names = {row.name for row in ROWS if fnmatch.fnmatchcase(row.name, pattern) and row.isolation is isolation}
        assert names, f"no row is called {pattern}"
        found |= names
    return found


def _checked(promises: list[str], rows: dict[str, tuple[str, ...]], *, isolation: bool) -> set[str]:
    assert len(promises) == len(rows)
    for promise, beginning in zip(promises, rows, strict=True):
        assert promise.startswith(beginning)
    return {name for patterns in rows.values() for name in _rows(patterns, isolation=isolation)}


def test_each_promise_about_every_stack_has_rows_that_every_stack_runs() -> None:
    assert _checked(_promises("On every stack, a plan can't:"), ON_EVERY_STACK, isolation=False)


def test_each_promise_of_isolation_has_rows_and_each_row_of_isolation_a_promise() -> None:
    shown = _checked(_promises("A plan then can't:"), WITH_ISOLATION, isolation=True)
    shown |= _rows(OF_DRIFT_DETECTION, isolation=True)
    assert {row.name for row in ROWS if row.isolation} == shown
