"""The attack table's own rules: what a verdict means, and that no two rows have one name."""

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

import sandbox.attack.__main__ as attack
from sandbox.attack.row import Outcome, Row, SkippedError, Verdict, run
from sandbox.attack.table import ROWS
from sandbox.attack.target import Target

_NOBODY = cast("Target", None)


def _row(attempt: Any, control: Any) -> Row:
    return Row(name="row", attack="a", tried="t", refused_by="r", attempt=attempt, control=control)


def _ends(*, allowed: bool) -> Any:
    return lambda _target: Outcome(allowed, "seen")


def _skips(_target: Target) -> Outcome:
    raise SkippedError("no node on PATH")


def _breaks(_target: Target) -> Outcome:
    raise KeyError("TaskDefinition")


@pytest.mark.parametrize(
    ("attempt", "control", "verdict", "acceptable"),
    [
        (_ends(allowed=False), _ends(allowed=True), Verdict.REFUSED, True),
        (_ends(allowed=True), _ends(allowed=True), Verdict.ALLOWED, False),
        (_ends(allowed=False), _ends(allowed=False), Verdict.CONTROL_REFUSED, False),
        (_skips, _ends(allowed=True), Verdict.SKIPPED, True),
        (_ends(allowed=False), _skips, Verdict.SKIPPED, True),
        (_ends(allowed=True), _skips, Verdict.ALLOWED, False),
        (_breaks, _ends(allowed=True), Verdict.ERROR, False),
        (_ends(allowed=False), _breaks, Verdict.ERROR, False),
    ],
)
def test_a_row_passes_only_where_the_attack_is_refused_and_the_control_is_allowed(
    attempt: Any, control: Any, verdict: Verdict, acceptable: bool
) -> None:
    result = run(_row(attempt, control), _NOBODY)
    assert (result.verdict, result.acceptable) == (verdict, acceptable)


def test_each_result_has_its_number_and_the_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [_row(_ends(allowed=False), _ends(allowed=True))] * 3
    target = SimpleNamespace(isolated=True, close_pull_requests=list)
    assert len(attack._run(rows, cast("Target", target), quiet=False)) == 3
    said = capsys.readouterr()
    assert re.findall(r"^\[(\d)/3, \d.*\] denied +row: a$", said.out, re.MULTILINE) == ["1", "2", "3"]
    assert "Running 3 attacks" in said.err


def test_every_row_has_a_name_of_its_own_and_says_what_refuses_it() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if not (row.attack and row.tried and row.refused_by)] == []
