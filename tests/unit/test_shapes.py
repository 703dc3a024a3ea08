"""Each shape of the stack has the inputs that were recorded of it."""

import difflib

import pytest

from tests.unit.shapes import FOLDER, SHAPES, written


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_its_recorded_inputs(shape: str) -> None:
    recorded = (FOLDER / f"{shape}.json").read_text(encoding="utf-8")
    changed = "\n".join(
        difflib.unified_diff(recorded.splitlines(), written(shape).splitlines(), "recorded", "now", n=4)
    )
    assert not changed, f"Read the difference; if it is meant, run: python -m tests.unit.shapes\n{changed}"
