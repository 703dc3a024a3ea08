"""The engine killed at random moments of `up` and `down`: the next run converges, and nothing is there twice."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.paths import CHECKOUT
from tests.sandbox.harness import Ground

KILLS = 20
SEED = 20250124
# Roughly what a whole command takes here, recovery included.
LONGEST = 9.0


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, task.read_text().split())
        except OSError:
            continue


def _engine_of(command: "subprocess.Popen[str]") -> int | None:
    """The engine that works for ``command`` at this moment."""
    for child in _children(command.pid):
        try:
            name = Path(f"/proc/{child}/comm").read_text().strip()
        except OSError:
            continue
        if name == "pulumi":
            return child
    return None


def _run_and_kill(ground: Ground, verb: str, moment: float) -> str:
    """Run ``verb``, kill its engine ``moment`` seconds on; what was killed, in words."""
    command = subprocess.Popen(
        ground.command(verb),
        cwd=CHECKOUT,
        env=ground.environment(),
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
    return ((chance.choice(("up", "up", "down")), chance.uniform(0.3, LONGEST)) for _ in range(KILLS))


def test_every_killed_run_is_made_good_by_the_next(ground: Ground, moments: Iterator[tuple[str, float]]):
    history: list[str] = []
    sandbox = ground.sandbox()
    for number, (verb, moment) in enumerate(moments, start=1):
        history.append(_run_and_kill(ground, verb, moment))
        if number % 5 == 0:
            sandbox.up()
            assert sandbox.compare().describe() == "", history
    started = time.monotonic()

    sandbox.up()

    assert sandbox.compare().describe() == "", history
    assert time.monotonic() - started < 60
    killed = [entry for entry in history if "killed" in entry]
    assert len(killed) >= KILLS // 2, history


def test_no_plugin_outlives_a_killed_engine(ground: Ground):
    sandbox = ground.sandbox()
    sandbox.preview()
    command = subprocess.Popen(
        ground.command("up"),
        cwd=CHECKOUT,
        env=ground.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not (engine := _engine_of(command)) or not (plugins := list(_children(engine))):
        assert command.poll() is None
        time.sleep(0.05)
    os.kill(engine, signal.SIGKILL)
    command.wait(60)

    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{plugin}").exists() for plugin in plugins):
        assert time.monotonic() < deadline, plugins
        time.sleep(0.1)
