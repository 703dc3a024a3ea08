"""The table of settings in docs/settings.md, generated from Pulumi.yaml: `python -m tests.unit.settings_table --write`."""

import argparse
import json
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROJECT, CHAPTER = ROOT / "Pulumi.yaml", ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- settings:begin -->\n", "<!-- settings:end -->"


def declared() -> dict[str, dict[str, Any]]:
    """The project's configuration schema: type, description and default by key."""
    return yaml.safe_load(PROJECT.read_text(encoding="utf-8"))["config"]


def table() -> str:
    """The table in Markdown, with an empty line before and after it."""
    rows = [
        f"| `{key}` | {_default(setting)} | {_cell(setting['description'])} |" for key, setting in declared().items()
    ]
    return "\n".join(["", "| key | default | description |", "|---|---|---|", *rows, "", ""])


def _default(setting: dict[str, Any]) -> str:
    """The description explains what an empty default means."""
    default = setting["default"]
    if default in ("", []):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def in_chapter() -> str:
    """The text between the two markers in docs/settings.md.

    Raises:
        ValueError: a marker is missing.
    """
    chapter = CHAPTER.read_text(encoding="utf-8")
    return chapter[chapter.index(BEGIN) + len(BEGIN) : chapter.index(END)]


def main() -> None:
    """Prints the table, or writes it into docs/settings.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/settings.md")
    if not parser.parse_args().write:
        print(table())
        return
    before, rest = CHAPTER.read_text(encoding="utf-8").split(BEGIN, 1)
    CHAPTER.write_text(before + BEGIN + table() + END + rest.split(END, 1)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
