"""README.ko.md says what README.md says: the same headings, commands, links, tables and numbers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, KOREAN = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))


def headings(text: str) -> list[str]:
    return re.findall(r"^(#+) ", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def inline(text: str) -> list[str]:
    return sorted(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)))


def links(text: str) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith("README")]


def tables(text: str) -> list[list[tuple[int, list[str], list[str]]]]:
    """For each row of each table: its number of cells, the code and the numbers in it."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [(row.count(" |"), sorted(re.findall(r"`[^`]+`", row)), sorted(_numbers(row))) for row in table.splitlines()]
        for table in found
    ]


def _numbers(row: str) -> list[str]:
    return re.findall(r"\d+(?:[.,]\d+)*", row)


def steps(text: str) -> list[str]:
    return re.findall(r"^\d+\.", text, re.MULTILINE)


@pytest.mark.parametrize("part", [headings, blocks, inline, links, tables, steps])
def test_a_part_is_the_same_in_both(part: Callable[[str], object]) -> None:
    assert part(KOREAN) == part(ENGLISH)


def test_each_front_page_leads_to_the_other() -> None:
    assert "(README.ko.md)" in ENGLISH
    assert "(README.md)" in KOREAN
