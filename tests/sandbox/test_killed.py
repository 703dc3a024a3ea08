"""The engine killed at random moments of `up`, `refresh` and `down`: the next run converges, and nothing is there twice."""

import contextlib
import functools
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.processes import descendants, start_time
from tests.sandbox.harness import Scratch, own_processes

KILLS = int(os.environ.get("KILLS", "5"))
"""Enough to show each phase; KILLS=20 after a change of the locks, of the state or of the stand-ins' records."""
SEED = 20250124
# Roughly what a whole command takes here, recovery included.
LONGEST = 6.0


def _engine_of(command: "subprocess.Popen[str]") -> int | None:
    """The engine that works for ``command`` at this moment."""
    for child in descendants(command.pid):
        try:
            name = Path(f"/proc/{child}/comm").read_text().strip()
        except OSError:
            continue
        if name == "pulumi":
            return child
    return None


def _run_and_kill(scratch: Scratch, verb: str, moment: float) -> str:
    """Run ``verb``, kill its engine ``moment`` seconds on; what was killed, in words."""
    command = subprocess.Popen(
        scratch.command(verb),
        cwd=CHECKOUT,
        env=scratch.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        command.wait(moment)
    except subprocess.TimeoutExpired:
        engine = _engine_of(command)
        # Where no engine runs yet, the command itself is killed: that must be survived as well.
        os.kill(engine or command.pid, signal.SIGKILL)
        command.communicate(timeout=120)
        return f"{verb}: {'engine' if engine else 'command'} killed after {moment:.1f} s"
    command.communicate()
    return f"{verb}: ended before {moment:.1f} s with {command.returncode}"


@pytest.fixture
def moments() -> Iterator[tuple[str, float]]:
    """Commands and the moments at which to kill them, the same in every run of the tests."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    return ((chance.choice(("up", "up", "down", "refresh")), chance.uniform(0.3, LONGEST)) for _ in range(KILLS))


def test_every_killed_run_is_made_good_by_the_next(scratch: Scratch, moments: Iterator[tuple[str, float]]):
    history: list[str] = []
    sandbox = scratch.deployed()
    for verb, moment in moments:
        history.append(_run_and_kill(scratch, verb, moment))
    started = time.monotonic()

    sandbox.up()

    assert sandbox.compare().describe() == "", history
    # A lock that a killed engine's children hold is theirs for five minutes.
    assert time.monotonic() - started < 240
    killed = [entry for entry in history if "killed" in entry]
    assert len(killed) >= KILLS // 2, history


def _plugins(scratch: Scratch) -> list[int]:
    """All processes that serve the engine, of this run or of an earlier one."""
    kinds = (
        "sandbox.testbed.providers",
        "sandbox.testbed.engine.language_server",
        "pulumi-language-python",
        "pulumi.policy",
    )
    return [pid for pid, command in own_processes(scratch.base) if any(kind in command for kind in kinds)]


@contextlib.contextmanager
def _up_under_way(scratch: Scratch) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """`up`, and its engine in the middle of deploying."""
    command = subprocess.Popen(
        scratch.command("up"),
        cwd=CHECKOUT,
        env=scratch.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert command.stdout is not None
    # After a killed run, `up` begins with another engine, which has no policy pack.
    while "created" not in (line := command.stdout.readline()) or len(_plugins(scratch)) < 3:
        assert line, command.wait()
    engine = _engine_of(command)
    assert engine is not None
    yield command, engine
    command.stdout.close()
    command.wait()


def _require_end(running: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while left := running():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_no_plugin_outlives_a_killed_engine_and_an_engine_whose_command_was_killed_deploys_the_rest(scratch: Scratch):
    for with_command in (False, True):
        with _up_under_way(scratch) as (command, engine):
            if with_command:
                command.kill()
            os.kill(engine, signal.SIGKILL)
            _require_end(lambda: _plugins(scratch))

    with _up_under_way(scratch) as (command, engine):
        command.kill()
        command.wait()
        assert command.stdout is not None
        while command.stdout.readline():
            pass
        # The kernel closes a process' files before it lets it go.
        _require_end(functools.partial(start_time, engine))
        _require_end(lambda: _plugins(scratch))
    sandbox = scratch.sandbox()
    assert sandbox.compare().describe() == ""
    assert len(sandbox.resources()) > 100
