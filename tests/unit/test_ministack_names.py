"""The names of ministack that the local AWS uses and that no one promises: an update of ministack that breaks one is named here."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.testbed.paths import CHECKOUT

PACKAGE = CHECKOUT / "sandbox" / "testbed" / "local_aws"
PATCHES = (PACKAGE / "PATCHES.md").read_text(encoding="utf-8")


def _imported(file: Path) -> dict[str, str]:
    """What a module imports from ministack: the full name by the name in the module."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ministack":
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _modules() -> Iterator[Path]:
    folders = ("sandbox", "components", "policy", "preflight", "adoption")
    return (file for folder in folders for file in sorted((CHECKOUT / folder).rglob("*.py")) if _imported(file))


MODULES = list(_modules())


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_ministack_has_each_name_that_a_module_uses(file: Path):
    missing = []
    names = _imported(file)
    for path in names.values():
        parent, _, name = path.rpartition(".")
        if not hasattr(importlib.import_module(parent), name):
            importlib.import_module(path)  # a module; raises if it is gone
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            parent, _, name = names[node.value.id].rpartition(".")
            used = getattr(importlib.import_module(parent), name, None) or importlib.import_module(names[node.value.id])
            if not hasattr(used, node.attr):
                missing.append(f"{names[node.value.id]}.{node.attr}")
    assert missing == []


def test_only_one_package_uses_ministack_and_says_of_each_module_what_aws_does():
    assert [str(file.relative_to(CHECKOUT)) for file in MODULES if file.parent != PACKAGE] == []
    assert [file.name for file in MODULES if f"`{file.name}`" not in PATCHES] == []
