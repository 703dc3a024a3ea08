"""Imports lead from the top of the project to its bottom, and no folders import each other in a circle."""

import ast
import itertools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from sandbox.testbed.paths import CHECKOUT

LAYERS = (("sandbox",), ("adoption",), ("preflight",), ("components", "policy"))
"""From top to bottom. A folder imports from its own layer's folder and from lower layers only."""
TESTBED = ("sandbox", "testbed")
"""Knows nothing of this project's program, and imports nothing outside of itself."""


def modules(root: Path) -> dict[str, Path]:
    """The project's modules by dotted name."""
    found = {}
    for folder in itertools.chain.from_iterable(LAYERS):
        for path in (root / folder).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if not any(part.startswith(".") for part in parts):
                found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The project's modules that a module imports, also inside functions."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            candidates = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]
        else:
            continue
        yield from (candidate for candidate in candidates if candidate in known and candidate != name)


def upward(root: Path) -> list[str]:
    """The imports that lead upward or sideways."""
    known = modules(root)
    layer = {folder: number for number, folders in enumerate(LAYERS) for folder in folders}
    return [
        f"{name} imports {other}"
        for name, path in sorted(known.items())
        for other in imported(name, path, known)
        if name.split(".")[0] != other.split(".")[0] and layer[name.split(".")[0]] >= layer[other.split(".")[0]]
    ]


def outside_of_testbed(root: Path) -> list[str]:
    """The testbed's imports of the project's other modules."""
    known, inside = modules(root), f"{'.'.join(TESTBED)}."
    return [
        f"{name} imports {other}"
        for name, path in sorted(known.items())
        if name.startswith(inside)
        for other in imported(name, path, known)
        if not f"{other}.".startswith(inside)
    ]


def folder(name: str, known: dict[str, Path], root: Path) -> str:
    """The folder of a module inside another folder; a module at the root of a top-level folder stands for itself."""
    parts = known[name].parent.relative_to(root).parts
    top = len(TESTBED) if parts[: len(TESTBED)] == TESTBED else 1
    return ".".join(parts[: top + 1]) if len(parts) > top else name


def folder_circle(root: Path) -> list[str]:
    """Folders that import each other in a circle, or an empty list."""
    known = modules(root)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        own = folder(name, known, root)
        graph.setdefault(own, set()).update(folder(other, known, root) for other in imported(name, path, known))
        graph[own].discard(own)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_module_imports_from_a_layer_above_its_own() -> None:
    assert upward(CHECKOUT) == []


def test_the_testbed_imports_nothing_of_the_program_and_of_its_sandbox() -> None:
    assert outside_of_testbed(CHECKOUT) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    assert folder_circle(CHECKOUT) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in itertools.chain.from_iterable(LAYERS):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    return tmp_path


def test_an_import_that_leads_upward_is_found(project: Path) -> None:
    (project / "sandbox" / "state.py").touch()
    (project / "adoption" / "plan.py").write_text("def plan():\n    from sandbox.state import x\n", encoding="utf-8")
    assert upward(project) == ["adoption.plan imports sandbox.state"]


def test_an_import_that_leads_out_of_the_testbed_is_found(project: Path) -> None:
    (project / "components" / "names.py").touch()
    (project / "sandbox" / "testbed").mkdir()
    (project / "sandbox" / "testbed" / "keys.py").write_text("from components import names\n", encoding="utf-8")
    assert outside_of_testbed(project) == ["sandbox.testbed.keys imports components.names"]


def test_a_circle_of_folders_is_found(project: Path) -> None:
    for inner, text in (("network", "from ..storage import bucket"), ("storage", "from ..network.vpc import vpc")):
        (project / "components" / inner).mkdir()
        (project / "components" / inner / "__init__.py").touch()
        (project / "components" / inner / {"network": "vpc.py", "storage": "bucket.py"}[inner]).write_text(
            text, encoding="utf-8"
        )
    assert set(folder_circle(project)) == {"components.network", "components.storage"}
