"""The comparison of the table with the engine's steps: it notices each way in which they can differ."""

from typing import Any

import pytest

from adoption.changes import Change
from adoption.plan import Plan
from sandbox.adoption_rehearsal.engine_diff import compared, differences
from tests.adoption.plans import plan as plan_of
from tests.adoption.states import find, small_state
from tests.tables import table

Steps = dict[tuple[str, str], dict[str, Any]]


def _tagged_plan() -> Plan:
    state = small_state()
    find(state, "aws_lb_target_group.this")["tags"] = {"cost": "1"}
    return plan_of(state)


def _steps(plan: Plan) -> Steps:
    """The engine's steps that the table of `plan` describes, by logical name and operation."""

    def step(name: str, type_: str, operation: str, rows: list[Change] | None = None) -> dict[str, Any]:
        old, new = {}, {}
        for row in rows or []:
            *parents, last = row.property.split(".")
            for side, text in ((old, row.old), (new, row.new)):
                for parent in parents:
                    side = side.setdefault(parent, {})  # noqa: PLW2901 - walks down to the parent
                side[last] = None if text == "none" else text
        states = {"oldState": {"inputs": old}, "newState": {"inputs": new}} if rows else {}
        diff = {row.property: {"kind": "update"} for row in rows or []}
        return {"op": operation, "urn": f"urn:pulumi:prod::atlantis::x${type_}::{name}", "detailedDiff": diff, **states}

    found = {(wanted.name, "create"): step(wanted.name, wanted.type, "create") for wanted in plan.pairing.new}
    for adopted in plan.adopted:
        name, type_ = adopted.pair.wanted.name, adopted.pair.wanted.type
        found[name, "import"] = step(name, type_, "import")
        if adopted.changes:
            found[name, "update"] = step(name, type_, "update", adopted.changes)
    return found


def test_the_steps_that_the_table_describes_are_no_difference() -> None:
    plan = _tagged_plan()
    assert list(differences(_steps(plan).values(), plan)) == []


def test_a_list_is_compared_as_a_whole_whichever_item_the_engine_names() -> None:
    rows = [Change("subnets", "subnet-1, subnet-2", "subnet-1", "")]
    inputs = {"oldState": {"subnets": ["subnet-1", "subnet-2"]}, "newState": {"subnets": ["subnet-1"]}}
    update: dict[str, Any] = {side: {"inputs": value} for side, value in inputs.items()}
    update["detailedDiff"] = {"subnets[0]": {"kind": "update"}, "subnets[1]": {"kind": "delete"}}
    assert list(compared(update, rows)) == []
    update["oldState"]["inputs"]["subnets"] = ["subnet-2"]
    assert list(compared(update, rows)) == [
        "the table shows subnet-1, subnet-2 as the old value of subnets, and the engine subnet-2"
    ]


@pytest.mark.parametrize("found", table(__file__, "differences"))
def test_a_difference_is_found(found: str) -> None:
    plan = _tagged_plan()
    place, value = table(__file__, "differences")[found]
    name, operation, *path = place
    steps = _steps(plan)
    *parents, last = [(name, operation), *path]
    block: Any = steps
    for parent in parents:
        block = block[parent]
    block[last] = value
    if value is None:
        del block[last]
    assert list(differences(steps.values(), plan)) == [found]
