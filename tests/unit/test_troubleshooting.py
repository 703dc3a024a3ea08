"""Every message that the programs in the server, the agents and the workers can print as an error is in the troubleshooting guide."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.tables import table

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "troubleshooting.md"
SCRIPTS = (*ROOT.glob("components/c*/*.sh"), ROOT / "docker" / "isolation" / "bin" / "shim")
NOT_ERRORS = table(__file__, "not_errors")
_SHOWN_BY_HELP = {"help", "description"}


def _text(node: ast.AST) -> str:
    """The text of a string, with `…` for values."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return re.sub(r"\{\w+\}", "…", node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _strings(node: ast.AST) -> Iterator[str]:
    """The texts in a module, except docstrings and help."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.keyword) and child.arg in _SHOWN_BY_HELP:
            continue
        if text := _text(child):
            yield text
        else:
            yield from _strings(child)


def messages() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "docker" / "isolation" / "isolation").rglob("*.py")):
        for text in _strings(ast.parse(file.read_text(encoding="utf-8"))):
            yield file.name, text
    for file in SCRIPTS:
        for text in re.findall(r'(?:fail|echo) "([^"]+)"', file.read_text(encoding="utf-8")):
            yield file.name, re.sub(r"\$\w+|\$\{[^}]*\}|\$\(.*?\)", "…", text)


def _searched(text: str) -> str:
    """What a person would search for: the first seven words of the first part without a value, or of the longest one."""
    parts = [part.strip(" :;,.()") for part in re.split(r"…|\n", re.sub(r"[`*<>]", "", text))]
    words = next((part for part in parts if part.count(" ") > 2), max(parts, key=len)).split()
    return " ".join(words[:7])


def test_every_message_is_in_the_troubleshooting_guide() -> None:
    guide = " ".join(re.sub(r"[`*]", "", GUIDE.read_text(encoding="utf-8")).split())
    found = [(file, text) for file, text in messages() if len(re.findall(r"[a-z',] [a-z(]", text)) >= 2]
    missing = [
        f"{file}: {text}"
        for file, text in found
        if not any(part in text for part in NOT_ERRORS) and _searched(text) not in guide
    ]
    assert not missing, "add them to the section Messages of docs/troubleshooting.md:\n" + "\n".join(missing)
    assert len(found) > 120
    assert [part for part in NOT_ERRORS if not any(part in text for _, text in found)] == []
