"""Each shape of the stack has the inputs that were recorded of it, and those that a person decided."""

import difflib
import json

import pytest

from tests.unit.decided import DECIDED, DIFFERS_FROM, decided
from tests.unit.shapes import FOLDER, SHAPES, difference, written
from tests.unit.stacks import stack


def changed(expected: str, found: str) -> str:
    return "\n".join(difflib.unified_diff(expected.splitlines(), found.splitlines(), "expected", "now", n=4))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_its_recorded_inputs(shape: str) -> None:
    found = changed((FOLDER / f"{shape}.json").read_text(encoding="utf-8"), written(shape))
    assert not found, f"Read the difference; if it is meant, run: python -m tests.unit.shapes\n{found}"


@pytest.mark.parametrize("shape", DECIDED)
def test_a_shape_has_what_a_person_decided(shape: str) -> None:
    found = decided(stack(**SHAPES[shape]))
    if shape != "default":
        found = difference(found, decided(stack(**SHAPES[DIFFERS_FROM.get(shape, "default")])))
    texts = (json.dumps(each, indent=1, sort_keys=True) for each in (DECIDED[shape], found))
    assert not (text := changed(*texts)), (
        f"Decide whether the difference is right, and write it into decided.yaml\n{text}"
    )
