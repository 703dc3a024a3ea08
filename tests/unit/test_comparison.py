"""docs/comparison.md: each setting that it names exists, each setting of a host has its row, and each row has all four cells."""

import re
from pathlib import Path

import pytest

from components.settings.arguments import AtlantisArgs
from components.settings.schema import settings_of
from tests.tables import table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| purpose")
]
KEYS = {declared.key for declared in settings_of(AtlantisArgs)}
NO_COUNTERPART = set(table(__file__, "no_counterpart"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_settings_that_exist_or_a_reason(row: list[str]) -> None:
    purpose, _module, _chart, here = row
    named = re.findall(r"`([^`]+)`", here)
    assert [key for key in named if key not in KEYS] == [], purpose
    assert named or re.fullmatch(r"none: .{10,}|Pulumi next to .*", here), purpose


def test_each_setting_is_on_the_page_or_has_no_counterpart() -> None:
    named = {key for row in ROWS for key in re.findall(r"`([^`]+)`", row[3])}
    missing, both = KEYS - named - NO_COUNTERPART, named & NO_COUNTERPART
    assert not missing, f"add a row in docs/comparison.md, or add to test_comparison.yaml: {sorted(missing)}"
    assert not both, f"has a row in docs/comparison.md, so remove from test_comparison.yaml: {sorted(both)}"
    assert NO_COUNTERPART <= KEYS
