"""README.ko.md says what README.md says: the same headings, commands, links, tables and numbers."""

import re
from pathlib import Path

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


def test_the_headings_have_the_same_levels() -> None:
    assert headings(KOREAN) == headings(ENGLISH)


def test_the_commands_are_the_same() -> None:
    assert blocks(KOREAN) == blocks(ENGLISH)
    assert inline(KOREAN) == inline(ENGLISH)


def test_the_links_lead_to_the_same_places() -> None:
    assert links(KOREAN) == links(ENGLISH)


def test_the_tables_have_the_same_rows_code_and_numbers() -> None:
    assert tables(KOREAN) == tables(ENGLISH)


def test_the_numbered_steps_are_as_many() -> None:
    assert re.findall(r"^\d+\.", KOREAN, re.MULTILINE) == re.findall(r"^\d+\.", ENGLISH, re.MULTILINE)


def test_each_front_page_leads_to_the_other() -> None:
    assert "(README.ko.md)" in ENGLISH
    assert "(README.md)" in KOREAN
