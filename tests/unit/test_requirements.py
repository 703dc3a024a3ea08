"""The lock files (requirements*.txt) hold what people wrote (requirements*.in), every file with its hashes."""

import re
from pathlib import Path

import pytest

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
