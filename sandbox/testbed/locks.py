"""Allows one run at a time per state folder, and records runs that were interrupted."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.testbed import console
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.paths import private_directory
from sandbox.testbed.processes import start_time

FILES = ("run.lock", "run.json")


@contextmanager
def one_run(state: Path, verb: str) -> Iterator[int]:
    """Hold the state folder's lock. If another run holds it, report that run and wait for it.

    Yields the lock's file descriptor, which the engine inherits. If this process is killed, its engine continues,
    and the next run has to wait for that engine too.
    """
    private_directory(state)
    holder = state / "run.json"
    descriptor = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.step(f"Waiting for {_describe(holder)} to end: one run at a time in {state}")
            started = time.monotonic()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            console.note(f"it ended after {console.elapsed(time.monotonic() - started)}")
        write_json(holder, {"pid": os.getpid(), "verb": verb})
        try:
            yield descriptor
        finally:
            holder.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def mark_unfinished(state: Path, reason: str) -> None:
    """Record that the engine's state may differ from the local AWS, until ``clear_unfinished`` is called."""
    write_json(_marker(state), {"pid": os.getpid(), "reason": reason})


def clear_unfinished(state: Path) -> None:
    """Record that the engine's state matches the local AWS, as far as the engine can tell."""
    _marker(state).unlink(missing_ok=True)


def unfinished(state: Path) -> str | None:
    """The reason why the engine's state may differ from the local AWS; None if the last run was completed."""
    note = read_json(_marker(state))
    return None if note is None else note["reason"]


def _describe(holder: Path) -> str:
    """Describe the run that holds the lock. If its command was killed, its engine still holds it."""
    # A run writes its description only after it has acquired the lock.
    patience = time.monotonic() + 1.0
    while not (run := read_json(holder)) and time.monotonic() < patience:
        time.sleep(0.02)
    if not run:
        return "another run"
    if start_time(run["pid"]):
        return f"`{run['verb']}` (process {run['pid']})"
    engines = ", ".join(f"{name}, process {pid}" for pid, name in _processes_with(holder.with_name(FILES[0])))
    return f"the engine of `{run['verb']}`, whose command was killed ({engines or 'its process ID is unknown'})"


def _processes_with(file: Path) -> Iterator[tuple[int, str]]:
    """The ID and the name of every other process that has ``file`` open; none on systems without /proc (macOS)."""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        pid = int(descriptor.parts[2])
        with suppress(OSError):
            if pid != os.getpid() and descriptor.readlink() == file:
                yield pid, Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def _marker(state: Path) -> Path:
    return state / "unfinished.json"
