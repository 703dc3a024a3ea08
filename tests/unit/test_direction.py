"""Imports lead from the top of the project to its bottom, and no folders import each other in a circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from sandbox.testbed.paths import CHECKOUT

LAYERS = (("sandbox",), ("adoption",), ("preflight",), ("components", "policy"))
"""From top to bottom. A folder imports from its own layer's folder and from lower layers only."""
TESTBED = ("sandbox", "testbed")
"""Knows nothing of this project's program, and imports nothing outside of itself."""


def modules() -> Iterator[tuple[str, Path]]:
    """The project's modules with their dotted names."""
    for path in (path for folders in LAYERS for folder in folders for path in (CHECKOUT / folder).rglob("*.py")):
        parts = path.relative_to(CHECKOUT).with_suffix("").parts
        if not any(part.startswith(".") for part in parts):
            yield ".".join(part for part in parts if part != "__init__"), path


KNOWN = dict(modules())


def imported(name: str, path: Path) -> Iterator[str]:
    """The project's modules that a module imports, also inside functions."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            candidates = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in KNOWN else base for alias in node.names]
        else:
            continue
        yield from (candidate for candidate in candidates if candidate in KNOWN and candidate != name)


IMPORTS = [(name, other) for name, path in sorted(KNOWN.items()) for other in imported(name, path)]


def test_no_module_imports_from_a_layer_above_its_own() -> None:
    layer = {folder: number for number, folders in enumerate(LAYERS) for folder in folders}
    tops = [(f"{name} imports {other}", name.split(".")[0], other.split(".")[0]) for name, other in IMPORTS]
    assert [found for found, top, other in tops if top != other and layer[top] >= layer[other]] == []
    assert {(top, other) for _, top, other in tops} >= {("sandbox", "adoption"), ("adoption", "components")}


def test_the_testbed_imports_nothing_of_the_program_and_of_its_sandbox() -> None:
    inside = f"{'.'.join(TESTBED)}."
    found = [(name, other) for name, other in IMPORTS if name.startswith(inside)]
    assert [pair for pair in found if not f"{pair[1]}.".startswith(inside)] == []
    assert found


def folder(name: str) -> str:
    """The folder of a module inside another folder; a module at the root of a top-level folder stands for itself."""
    parts = KNOWN[name].parent.relative_to(CHECKOUT).parts
    top = len(TESTBED) if parts[: len(TESTBED)] == TESTBED else 1
    return ".".join(parts[: top + 1]) if len(parts) > top else name


def test_no_folders_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, other in IMPORTS:
        graph.setdefault(folder(name), set()).update({folder(other)} - {folder(name)})
    # Raises an error with the circle.
    TopologicalSorter(graph).prepare()
