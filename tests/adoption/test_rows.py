"""Changes of a state, and what the adoption then reports: the changes in place, proposals, notes, problems and what is left."""

import re
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from adoption import files
from adoption.anatomy import AnatomyError
from adoption.plan import Plan
from tests.adoption.plans import adopted, plan, proposed
from tests.adoption.states import changed_state
from tests.tables import table

ROWS: Mapping[str, Mapping[str, Any]] = table(__file__, "rows")


def plan_of(row: Mapping[str, Any]) -> Plan:
    return plan(changed_state(row), accepted=tuple(row.get("accepted", ())), **row.get("settings", {}))


def _assert_each(parts: list[str], texts: list[str]) -> None:
    """`texts` are as many as `parts`, and each has its part."""
    assert [part for part, text in zip(parts, texts, strict=True) if part not in text] == [], texts


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "refused" not in row])
def test_a_changed_state_is_adopted_or_has_its_problems(name: str) -> None:
    row, found = ROWS[name], plan_of(ROWS[name])
    _assert_each(row.get("problems", []), found.problems)
    for resource, expected in row.get("changes", {}).items():
        rows = {change.property: [change.old, change.new] for change in adopted(found, resource).changes}
        assert {key: rows.get(key) for key in expected or rows} == expected
    assert {key: proposed(found).get(key) for key in row.get("proposes", {})} == row.get("proposes", {})
    for part in row.get("notes", ()):
        assert [note for note in found.notes if part in note], found.notes
    for part in row.get("no notes", ()):
        assert not [note for note in found.notes if part in note]
    section = files.section(found.adopted)
    assert {key: section["import"].get(key) for key in row.get("adopts", {})} == row.get("adopts", {})
    assert row.get("keeps", {}).items() <= section["keep"].items()
    assert {*row.get("new", ())} <= {wanted.name for wanted in found.new}
    left = {actual.address: advice for actual, advice in found.left}
    for address, part in row.get("left", {}).items():
        assert part in left[address]
        assert (address in found.to_forget) is not left[address].endswith("keep it")
    results = {item.name: item.result for item in (*found.task, *found.rights)}
    assert row.get("task", {}).items() <= results.items(), results


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "refused" in row])
def test_a_state_that_cannot_be_adopted_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises((AnatomyError, pulumi.RunError)) as refused:
        plan_of(ROWS[name])
    assert re.search(ROWS[name]["refused"], str(refused.value))
