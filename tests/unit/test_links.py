"""Links, anchors, commands and settings in the Markdown files lead somewhere."""

import re
from pathlib import Path

import pytest

from components.settings.arguments import AtlantisArgs
from components.settings.schema import settings_of

ROOT = Path(__file__).parents[2]
MARKDOWN = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("policy/*.md"), *ROOT.glob("sandbox/**/*.md")]
)
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PULUMI_NAMES = {
    "deleteBeforeReplace",
    "dependsOn",
    "ignoreChanges",
    "replaceOnChanges",
    "retainOnDelete",
    "requiredPulumiVersion",
}
"""Resource options and project settings, as Pulumi's documentation writes them."""
_DECLARED = list(settings_of(AtlantisArgs))
_INNER = (inner for declared in _DECLARED if declared.objects for inner in settings_of(declared.objects))
SETTINGS = {declared.key for declared in (*_DECLARED, *_INNER)}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a Markdown file."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", file.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def identifier(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_every_chapter_is_linked_from_the_front_page() -> None:
    linked = {target for target, _ in LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))}
    assert {identifier(file) for file in ROOT.glob("docs/*.md")} <= linked


@pytest.mark.parametrize("file", MARKDOWN, ids=identifier)
def test_a_link_leads_to_a_file_and_a_heading(file: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(FENCE.sub("", file.read_text(encoding="utf-8"))):
        found = (file.parent / target).resolve() if target else file
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("file", MARKDOWN, ids=identifier)
def test_a_documented_command_names_a_target_and_a_setting_that_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    code = "\n".join([*FENCE.findall(text), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])
    assert set(re.findall(r"\bmake (?:-s )?([a-z-]+)", code)) - TARGETS == set()
    assert set(re.findall(r"(?<![\w/])atlantis:([A-Za-z]+)\b(?!:)", code)) - SETTINGS == set()


# docs/comparison.md has the names of others too; test_comparison.py checks this stack's.
CHAPTERS = sorted({ROOT / "README.md", *ROOT.glob("docs/*.md")} - {ROOT / "docs" / "comparison.md"})


@pytest.mark.parametrize("file", CHAPTERS, ids=identifier)
def test_a_name_in_camel_case_is_a_setting(file: Path) -> None:
    named = re.findall(r"`([a-z]+[A-Z][A-Za-z]*)(?:: [^`]*)?`", file.read_text(encoding="utf-8"))
    assert set(named) - SETTINGS - PULUMI_NAMES == set()
