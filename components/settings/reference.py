"""What people read about the settings, from their declarations: `make settings` writes it.

Writes the configuration schema in `Pulumi.yaml` and the table in `docs/settings.md`; a test fails where they differ.
"""

import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from .arguments import AtlantisArgs
from .schema import Declared, settings_of

ROOT = Path(__file__).parents[2]
PROJECT, CHAPTER = ROOT / "Pulumi.yaml", ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- settings:begin -->\n", "<!-- settings:end -->"


def description(declared: Declared) -> str:
    """The docstring under the setting's field, in one line."""
    (body,) = ast.parse(inspect.getsource(declared.owner)).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - a group is a class
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.target.id == declared.field.name
            and isinstance(following, ast.Expr)
        ):
            return " ".join(str(ast.literal_eval(following.value)).split())
    raise ValueError(f"{declared.owner.__name__}.{declared.field.name} has no docstring")


def shown_default(declared: Declared) -> Any:
    """The default as configuration writes it; an empty value for none."""
    empty: Any = {"array": [], "object": {}}.get(declared.type, "")
    default = declared.default
    return empty if default is None else list(default) if isinstance(default, tuple) else default


def project() -> str:
    """`Pulumi.yaml` with the settings as its configuration schema."""
    before = PROJECT.read_text(encoding="utf-8").split("\nconfig:\n", 1)[0]
    lines = ["config:"]
    for declared in settings_of(AtlantisArgs):
        lines += [f"  {declared.key}:", f"    type: {declared.type}"]
        lines += (
            ["    items:", f"      type: {'object' if declared.objects else 'string'}"]
            if declared.type == "array"
            else []
        )
        lines += [f"    description: {_yaml(_described(declared))}", f"    default: {_yaml(shown_default(declared))}"]
    return f"{before}\n" + "\n".join(lines) + "\n"


def _described(declared: Declared) -> str:
    # The engine fills in a default, so that the program can't tell a missing setting from an empty one.
    empty = " Empty: the stack's name" if declared.key == "environment" and declared.owner is AtlantisArgs else ""
    return f"{description(declared)}{empty and '.'}{empty}"


def _yaml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def tables() -> str:
    """The table of all settings in Markdown and one for the objects of each list, with an empty line before and after each."""
    declared = list(settings_of(AtlantisArgs))
    lines = _table(declared)
    for item in declared:
        if item.objects:
            lines += [f"Keys of each object in `{item.key}`:", *_table(list(settings_of(item.objects)))]
    return "\n".join([*lines, ""])


def _table(settings: list[Declared]) -> list[str]:
    rows = [f"| `{item.key}` | {_default_cell(item)} | {_cell(_described(item))} |" for item in settings]
    return ["", "| key | default | description |", "|---|---|---|", *rows, ""]


def _default_cell(declared: Declared) -> str:
    default = shown_default(declared)
    if default in ("", [], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def chapter() -> str:
    """`docs/settings.md` with the table between its markers."""
    before, rest = CHAPTER.read_text(encoding="utf-8").split(BEGIN, 1)
    return before + BEGIN + tables() + END + rest.split(END, 1)[1]


def main() -> None:
    """Writes both files."""
    for path, wanted in ((PROJECT, project()), (CHAPTER, chapter())):
        if path.read_text(encoding="utf-8") != wanted:
            path.write_text(wanted, encoding="utf-8")
            print(f"{path.name} written", file=sys.stderr)


if __name__ == "__main__":
    main()
