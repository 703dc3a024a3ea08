"""The lock files (requirements*.txt) hold what people wrote (requirements*.in), every file with its hashes."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SHARED = ["requirements.in", "requirements-dev.in", "policy/requirements.in"]
SOURCES = [*SHARED, "requirements-go.in"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pinned(file: Path) -> dict[str, str]:
    """Version by normalised package name."""
    pins = PIN.findall(file.read_text(encoding="utf-8"))
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


@pytest.mark.parametrize("source", SOURCES)
def test_every_requirement_is_an_exact_version_and_is_locked_at_it(source: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / source).read_text(encoding="utf-8").splitlines()]
    requirements = [line for line in lines if line and not line.startswith("-r ")]
    assert [line for line in requirements if not PIN.fullmatch(line)] == []
    wanted = pinned(ROOT / source)
    locked = pinned((ROOT / source).with_suffix(".txt"))
    assert {name: locked.get(name) for name in wanted} == wanted, "make lock"


@pytest.mark.parametrize("source", SOURCES)
def test_every_locked_package_has_hashes_and_no_address(source: str) -> None:
    text = (ROOT / source).with_suffix(".txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert [entry for entry in entries if not re.search(r"^ +--hash=sha256:[0-9a-f]{64}", entry, re.MULTILINE)] == []
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("source", SHARED)
def test_the_lock_files_agree_on_versions(source: str) -> None:
    """The program, the pack and the tests share one environment in a checkout."""
    everything = pinned(ROOT / "requirements-dev.txt")
    locked = pinned((ROOT / source).with_suffix(".txt"))
    assert {name: everything.get(name) for name in locked} == locked


def test_the_pack_carries_its_own_requirements() -> None:
    """`pulumi policy publish` uploads the folder of the pack and nothing else."""
    assert set(pinned(ROOT / "policy" / "requirements.in")) == {"pulumi", "pulumi-policy"}
    assert "-r " not in (ROOT / "policy" / "requirements.in").read_text(encoding="utf-8")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_package() -> dict[str, Requirement]:
    """The ranges of the installed package by package name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {canonical(found.name): found for found in map(Requirement, project["dependencies"])}


def test_the_installed_package_accepts_the_locked_versions_and_newer_ones_below_the_next_major() -> None:
    locked = pinned(ROOT / "requirements.in")
    assert set(installed_package()) == set(locked)
    for name, requirement in installed_package().items():
        major, minor = map(int, locked[name].split(".")[:2])
        assert locked[name] in requirement.specifier, name
        assert f"{major}.{minor + 1}.0" in requirement.specifier, name
        assert f"{major + 1}.0.0" not in requirement.specifier, name


def test_the_components_require_every_package_that_they_import() -> None:
    """The tests' environment has more packages, so an import that nobody requires would fail only for a user."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "components").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    outside = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    distributions = importlib.metadata.packages_distributions()
    required = {canonical(distributions[module][0]) for module in outside - {"botocore"}}
    assert "botocore" not in outside or "boto3" in installed_package()
    assert required == set(installed_package())


def test_the_plugin_carries_the_program_s_lock_file() -> None:
    """`pulumi install` and `pulumi package add` install the folder's requirements.txt, and a Git address has only the folder."""
    assert (ROOT / "components" / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()
