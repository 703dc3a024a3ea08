"""docs/aws.md, followed from a fresh clone with other ranges and a new stack name, up to its first preview."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import Workspace
from sandbox.testbed.paths import CHECKOUT, STATE_VARIABLE
from tests.sandbox.harness import Ground

GUIDE = (CHECKOUT / "docs" / "aws.md").read_text(encoding="utf-8")
STACK, RANGE = "dev", "198.51.100.128/25"
REPLACED = {
    # Needs AWS or the network: the sandbox replaces the account, and the packages and plugins are installed.
    "pulumi login 's3": "pulumi login file://$BACKEND",
    "pulumi stack init dev": "pulumi stack init dev",
    "pulumi install && ": "true",
    "make preflight": "true",
    "pulumi preview --stack dev --policy-pack policy --policy-pack-config policy/config/dev.json": "make preview STACK=dev",
}
"""What a line of the guide is replaced with, by its beginning. Other lines run as they are."""


def _commands() -> list[str]:
    """The lines of the code blocks up to the first deployment, for the new stack."""
    before = GUIDE.split("## 3. ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", before, re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\bprod\b", STACK, line) for block in blocks for line in block.splitlines()]
    return [next((new for old, new in REPLACED.items() if line.startswith(old)), line) for line in lines]


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.CompletedProcess[str]"]]:
    """Runs a shell command in a copy of the tracked files, with this checkout's packages and programs."""
    folder = tmp_path / "clone"
    tracked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(tracked, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    engine = installation.locate().executable
    own = folder / ".sandbox" / "engine" / engine.parent.name
    own.mkdir(parents=True)
    os.link(engine, own / "pulumi")  # the wrapper of the language host next to it names the checkout
    (folder / ".sandbox" / "cache").mkdir()
    for cached in (CHECKOUT / ".sandbox" / "cache").glob("iam-evaluation"):
        (folder / ".sandbox" / "cache" / cached.name).symlink_to(cached)
    (tmp_path / "backend").mkdir()
    ground = Ground(tmp_path / "state", STACK)
    workspace = Workspace(tmp_path / "cli", CHECKOUT)
    workspace.prepare("prod", {}, None)
    environment = workspace.environment(None) | {STATE_VARIABLE: str(ground.base), "BACKEND": str(tmp_path / "backend")}
    environment["PATH"] = os.pathsep.join([str(own), environment["PATH"]])
    del environment["PULUMI_BACKEND_URL"]

    def run(command: str) -> "subprocess.CompletedProcess[str]":
        # The link's target is up to date, whatever the copied files' times are.
        command = re.sub(r"^make ", "make --old-file=.venv/installed --old-file=python-version ", command)
        return subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    yield run
    ground.stop()


def _configure(run: Callable[[str], "subprocess.CompletedProcess[str]"]) -> None:
    """What the guide says in prose: copy the stack file, and replace the examples."""
    edit = f"sed -e '/203.0.113.0/d' -e 's|198.51.100.32/28|{RANGE}|' Pulumi.prod.yaml > Pulumi.{STACK}.yaml"
    assert run(edit).returncode == 0


def test_the_guide_leads_to_a_preview_that_the_pack_passes(
    clone: Callable[[str], "subprocess.CompletedProcess[str]"],
) -> None:
    _configure(clone)
    early = clone(f"make preview STACK={STACK}")
    assert early.returncode != 0
    assert "policy/config/dev.json doesn't exist" in early.stderr
    assert "Nothing was deployed. Fix: make policy-config STACK=dev" in early.stderr
    assert "Local AWS" not in early.stderr

    commands = _commands()
    assert commands[-1] == "make preview STACK=dev"
    preview = ""
    for command in commands:
        ran = clone(command)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        preview = ran.stdout

    assert RANGE in clone(f"cat policy/config/{STACK}.json").stdout
    assert "to create" in preview
    assert "mandatory" not in preview


def test_every_deployment_of_the_guide_runs_the_pack() -> None:
    lines = re.findall(r"^pulumi (?:up|preview) .*$", GUIDE, re.MULTILINE)
    assert len(lines) >= 3
    pack = "--policy-pack policy --policy-pack-config policy/config/prod.json"
    assert [line for line in lines if pack not in line] == []
