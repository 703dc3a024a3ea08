"""Detached processes: recorded, found, and stopped by their identity only."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.testbed import processes
from sandbox.testbed.files import write_json
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.atlantis.waiting import eventually
from tests.sandbox.harness import begin_to_stop

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
def state(tmp_path: Path):
    """A state folder whose processes end with the test."""
    yield tmp_path
    processes.stop_all(tmp_path)


def test_a_process_is_found_and_stopped_by_its_name(state: Path):
    started = processes.start(state, "sleeper", SLEEP, environment=os.environ, port=4711)

    found = processes.find(state, "sleeper")

    assert found == started
    assert started.alive
    assert started.port == 4711
    assert processes.stop(state, "sleeper")
    assert not started.alive
    assert processes.find(state, "sleeper") is None


def test_a_process_that_ends_just_before_the_signal_is_stopped(state: Path, monkeypatch: pytest.MonkeyPatch):
    started = processes.start(state, "sleeper", SLEEP, environment=os.environ)
    kill = os.kill

    def ended(pid: int, _signal: int) -> None:
        kill(pid, signal.SIGKILL)
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", ended)

    assert processes.stop(state, "sleeper")
    assert not started.alive
    assert processes.find(state, "sleeper") is None


def test_a_process_that_ends_before_anybody_looks_is_a_started_one(state: Path, monkeypatch: pytest.MonkeyPatch):
    begin: Any = subprocess.Popen

    def begin_and_let_it_end(*arguments: Any, **named: Any) -> Any:
        child = begin(*arguments, **named)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        return child

    monkeypatch.setattr(subprocess, "Popen", begin_and_let_it_end)

    started = processes.start(state, "brief", [sys.executable, "-c", "print('why')"], environment=os.environ)

    assert not started.alive
    assert processes.find(state, "brief") == started
    assert (state / "logs" / "brief.log").read_text() == "why\n"


def test_a_main_process_that_has_ended_has_the_exit_code_of_the_child(state: Path):
    def ended(_child: "subprocess.Popen[bytes]") -> int:
        with subprocess.Popen(["true"]) as other:
            other.wait()
        return other.pid

    process = processes.start(state, "short", ["sh", "-c", "exit 3"], environment={}, main=ended)
    assert eventually("its end", lambda: processes.exit_code(process)) == 3


def test_a_process_whose_stop_was_cut_off_is_not_one_that_lasts(state: Path):
    processes.start(state, "stubborn", STUBBORN, environment=os.environ, port=4711)
    log = state / "logs" / "stubborn.log"
    while "up" not in log.read_text():
        time.sleep(0.02)

    begin_to_stop(state, "stubborn")

    found = processes.find(state, "stubborn")
    assert found is not None
    assert found.alive
    assert not found.lasting
    assert found.describe() == f"stubborn: process {found.pid}, being stopped"
    assert processes.stop(state, "stubborn", patience=0.2)
    assert processes.find(state, "stubborn") is None


def test_another_process_with_the_recorded_id_is_left_alone(state: Path):
    with subprocess.Popen(SLEEP) as stranger:
        record = {"pid": stranger.pid, "started": "long ago", "port": None}
        write_json(state / "processes" / "sleeper.json", record)

        assert not processes.stop(state, "sleeper")

        assert stranger.poll() is None
        stranger.kill()


def test_output_and_records_are_for_their_owner_only(state: Path):
    processes.start(state, "sleeper", SLEEP, environment=os.environ)

    for path in (state / "logs" / "sleeper.log", state / "processes" / "sleeper.json"):
        assert path.stat().st_mode & 0o077 == 0


def test_all_are_stopped_the_newest_first(state: Path):
    for name in ("first", "second"):
        processes.start(state, name, SLEEP, environment=os.environ)
        time.sleep(0.02)

    assert processes.stop_all(state) == ["second", "first"]


def test_a_process_ends_with_its_parent(tmp_path: Path):
    program = tmp_path / "child.py"
    program.write_text(
        "import os, time\n"
        "from sandbox.testbed.processes import end_with_parent\n"
        "end_with_parent(poll=0.05)\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, {str(program)!r}], stdout=subprocess.PIPE)\n"
        "print(int(child.stdout.readline()))"
    )

    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    ended = subprocess.run(
        [sys.executable, "-c", parent], env=environment, capture_output=True, text=True, check=True, timeout=120
    )

    deadline = time.monotonic() + 10
    while processes.start_time(int(ended.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")
def test_descendants_are_the_processes_that_a_process_and_its_children_have_started(state: Path):
    # `wait` keeps the shell from replacing itself with the last command.
    nested = "sleep 61 & (sleep 62 & wait) & echo up; wait"
    shell = processes.start(state, "shell", ["/bin/sh", "-c", nested], environment=os.environ)
    wanted = {b"sleep\x0061\x00", b"sleep\x0062\x00"}

    def commands(pids: list[int]) -> set[bytes]:
        return {Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}

    try:
        # A process that was forked has its parent's command line until it executes its own.
        deadline = time.monotonic() + 10
        while not wanted < commands(found := list(processes.descendants(shell.pid))):
            assert time.monotonic() < deadline, commands(found)
            time.sleep(0.02)
        assert os.getpid() not in found
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
