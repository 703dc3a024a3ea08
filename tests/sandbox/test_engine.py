"""Finding and building the engine."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import go_build
from sandbox.engine import installation
from sandbox.errors import SandboxError
from sandbox.paths import CHECKOUT


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH but what the test puts into the returned folder, and no engine built."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for module in (installation, go_build):
        monkeypatch.setattr(module, "ENGINES", tmp_path / "engines")
    return folder


@pytest.mark.usefixtures("bare_path")
def test_without_pulumi_and_go_both_ways_out_are_named():
    with pytest.raises(SandboxError) as raised:
        installation.locate()

    message = str(raised.value)
    assert "https://www.pulumi.com/docs/install/" in message
    assert "Go 1.26 or newer" in message
    assert "https://go.dev/dl/" in message


def test_go_that_is_too_old_is_named_with_its_version(bare_path: Path):
    _tool(bare_path, "go", "echo go1.21.4")

    with pytest.raises(SandboxError, match=r"needs Go 1\.26, and Go here is go1\.21\.4"):
        installation.locate()


def test_an_installed_pulumi_is_used_as_it_is(bare_path: Path):
    _tool(bare_path, "pulumi", "exit 0")
    _tool(bare_path, "pulumi-language-python", "exit 0")

    assert installation.locate().executable == bare_path / "pulumi"


def test_a_failed_build_shows_its_last_words_and_leaves_no_engine(bare_path: Path, tmp_path: Path):
    _tool(bare_path, "go", 'test "$1" = env && echo go1.26.0 || { echo "proxy unreachable"; exit 1; }')

    with pytest.raises(SandboxError, match="proxy unreachable"):
        installation.locate()

    assert not list((tmp_path / "engines").rglob("pulumi"))


def test_a_build_shows_progress_and_the_result_is_found_again(
    bare_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(go_build, "REPORT_SECONDS", 0)
    build = (
        'for last; do previous=$output; test "$before" = -o && output=$last; before=$last; done; echo x; : > "$output"'
    )
    _tool(bare_path, "go", f"case $1 in env) echo go1.26.0;; list) echo a; echo b;; build) {build};; esac")

    first = installation.locate()

    said = capfd.readouterr().err
    assert "Building the Pulumi engine v3.259.0" in said
    assert "compiled 1 of about 2 packages" in said
    assert installation.locate() == first
    assert capfd.readouterr().err == ""
    assert os.access(first.executable.with_name("pulumi-language-python"), os.X_OK)


def test_the_command_line_shows_the_message_without_a_traceback(tmp_path: Path):
    program = tmp_path / "up.py"
    program.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from sandbox import __main__, go_build\n"
        "from sandbox.engine import installation\n"
        "installation.ENGINES = go_build.ENGINES = Path('no-engine-here')\n"
        "sys.exit(__main__.main())\n"
    )
    environment = {
        "PATH": str(tmp_path),
        "PYTHONPATH": str(CHECKOUT),
        "ATLANTIS_SANDBOX_STATE": str(tmp_path / "state"),
    }

    answer = subprocess.run(
        [sys.executable, str(program), "up"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("error: There is no Pulumi engine")
    assert "Traceback" not in answer.stderr
