"""One run at a time per state folder, and a note of runs that did not end."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox import console
from sandbox.files import read_json, write_json
from sandbox.paths import private_directory
from sandbox.processes import start_time

__all__ = ["FILES", "clear_unfinished", "mark_unfinished", "one_run", "unfinished"]

FILES = ("run.lock", "run.json")


@contextmanager
def one_run(state: Path, verb: str) -> Iterator[int]:
    """Hold the state folder's lock; waits, and says for whom, while another run has it.

    Yields the lock's file descriptor. The engine inherits it: where this process is killed, the engine it
    started goes on, and the next run has to wait for that one too.
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
    """Note that from now on the engine's state may differ from the local AWS, until ``clear_unfinished``."""
    write_json(_marker(state), {"pid": os.getpid(), "reason": reason})


def clear_unfinished(state: Path) -> None:
    """The engine's state and the local AWS agree as far as the engine knows."""
    _marker(state).unlink(missing_ok=True)


def unfinished(state: Path) -> str | None:
    """Why the engine's state may differ from the local AWS; None where the last run ended."""
    note = read_json(_marker(state))
    return None if note is None else note["reason"]


def _describe(holder: Path) -> str:
    """The run that has the lock, or what is left of it: the engine goes on where its command was killed."""
    # A run that has just taken the lock has not said yet who it is.
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
    """Id and name of every other process that has ``file`` open; none where the system doesn't say (macOS)."""
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        pid = int(descriptor.parts[2])
        with suppress(OSError):
            if pid != os.getpid() and descriptor.readlink() == file:
                yield pid, Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def _marker(state: Path) -> Path:
    return state / "unfinished.json"
