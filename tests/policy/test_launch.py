"""A misspelt policy in the file that the CLI was given is found by the pack, though the CLI tells it nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evaluation.launch import warn_about_configuration

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc, which Linux has")

Started = Callable[..., int]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """Starts a process with arguments, as the CLI would be, in ``tmp_path``; its id."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> int:
        script = "import sys; print('up', flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process.pid

    yield start
    for process in processes:
        process.communicate()


@pytest.mark.parametrize("arguments", [("--policy-pack-config", "guard.json"), ("--policy-pack-config=guard.json",)])
def test_misspelled_policy_is_reported(
    tmp_path: Path, started: Started, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "guard.json").write_text(json.dumps({"encrytion": "mandatory"}), encoding="utf-8")
    found = warn_about_configuration(started("preview", *arguments))
    assert len(found) == 1
    assert 'encrytion is unknown; did you mean "encryption"?' in capsys.readouterr().err


def test_sound_file_and_no_file_are_not_mentioned(tmp_path: Path, started: Started) -> None:
    (tmp_path / "guard.json").write_text(json.dumps({"encryption": "mandatory"}), encoding="utf-8")
    assert warn_about_configuration(started("--policy-pack-config", "guard.json")) == []
    assert warn_about_configuration(started("--policy-pack", "policy")) == []
    assert warn_about_configuration(started("--policy-pack-config", "none.json")) == []


def test_process_that_has_ended_is_no_error() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert warn_about_configuration(ended.pid) == []
