"""The components as an installed package: one top-level name, with all the files that the components read."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from components.__main__ import VERSION

ROOT = Path(__file__).parents[2]
READS = """
import json, sys
import atlantis_on_fargate
from atlantis_on_fargate.configuration.vcs import published_ranges
from atlantis_on_fargate.configuration.server_configuration import FLAGS
from atlantis_on_fargate.compute.server_start import server_start
print(json.dumps({
    "component": atlantis_on_fargate.Atlantis.__module__,
    "ranges": len(published_ranges("github.com")),
    "flags": len(FLAGS),
    "start": len(server_start([])["entryPoint"]),
    "outside": sorted({name.split(".")[0] for name in sys.modules} & {"components", "settings", "names"}),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package was installed into; it is built from a copy, which leaves nothing in the checkout."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "components", source / "components", ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    quiet = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, "--target", str(target), str(source)], check=True)
    return target


def test_an_installation_puts_one_name_on_everybody_s_path(installed: Path) -> None:
    assert [path.name for path in installed.iterdir() if path.suffix != ".dist-info"] == ["atlantis_on_fargate"]


def test_the_installed_components_find_all_that_they_read(installed: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", READS],
        env={"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(answer.stdout)
    assert found["component"] == "atlantis_on_fargate.atlantis"
    assert min(found["ranges"], found["flags"], found["start"]) > 0
    assert found["outside"] == []


def test_the_version_is_in_one_place_and_the_newest_of_the_changelog(installed: Path) -> None:
    assert (installed / f"atlantis_on_fargate-{VERSION}.dist-info" / "licenses" / "LICENSE").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    newest = re.search(r"^## (\S+) \(20\d\d-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == VERSION
