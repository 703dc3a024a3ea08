"""Processes that outlive the command that starts them, and are stopped by their identity.

A process is known by its id and its start time together: an id alone may belong to somebody else by the time
of ``make down``. The record of each lies in ``<state>/processes/<name>.json``.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sandbox.errors import SandboxError
from sandbox.files import read_json, write_json
from sandbox.paths import private_directory

__all__ = ["Process", "end_with_parent", "find", "recorded", "start", "start_time", "stop", "stop_all"]


@dataclass(frozen=True)
class Process:
    """A process that was started under ``name``; ``port`` is the loopback port it serves, if any.

    ``stopping`` says that somebody has begun to stop it, and may have been killed over it.
    """

    name: str
    pid: int
    started: str
    port: int | None = None
    stopping: bool = False

    @property
    def alive(self) -> bool:
        """Whether this very process, not another with its id, still runs."""
        return start_time(self.pid) == self.started

    @property
    def lasting(self) -> bool:
        """Whether it runs and is to go on: nobody has begun to stop it."""
        return self.alive and not self.stopping

    def describe(self) -> str:
        """The process in a line, such as ``local-aws: process 4711, http://127.0.0.1:40123``."""
        address = f", 127.0.0.1:{self.port}" if self.port else ""
        standing = (", being stopped" if self.stopping else address) if self.alive else ", ended"
        return f"{self.name}: process {self.pid}{standing}"


def start_time(pid: int) -> str | None:
    """When process ``pid`` started, in the system's own notation; None where it doesn't run (a zombie doesn't)."""
    seen = _seen(pid)
    return seen.started if seen and seen.state[0] not in "ZX" else None


def start(
    state: Path,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    port: int | None = None,
    directory: Path | None = None,
    user: tuple[int, int] | None = None,
) -> Process:
    """Start ``command`` detached from the terminal, its output in ``<state>/logs/<name>.log``, and record it.

    ``user`` is the user and the group that it runs as; None for those of this process.
    """
    log = private_directory(state / "logs") / f"{name}.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
        )
    finally:
        os.close(descriptor)
    # One that has ended already is a zombie until it is polled, and has a start time like any other.
    seen = _seen(child.pid)
    if seen is None:
        raise SandboxError(f"{name} exited immediately; its output is in {log}")
    process = Process(name, child.pid, seen.started, port)
    _remember_child(child)
    _write(state, process)
    return process


def find(state: Path, name: str) -> Process | None:
    """The process recorded under ``name``, alive or not; None where none was started or it was stopped properly."""
    record = read_json(_record(state, name))
    return None if record is None else Process(name, **record)


def stop(state: Path, name: str, *, patience: float = 15.0) -> bool:
    """Stop the process recorded under ``name``: SIGTERM, ``patience`` seconds, SIGKILL. False where it didn't run."""
    process = find(state, name)
    if process is None:
        return False
    was_alive = process.alive
    if was_alive:
        # Before the signal, so that the next command doesn't treat the process as running if this command is killed here.
        _write(state, replace(process, stopping=True))
    for signal_number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if not process.alive:
            break
        os.kill(process.pid, signal_number)
        _wait(process, seconds)
    if process.alive:
        raise SandboxError(f"{name} (process {process.pid}) doesn't end. Kill it, then run the command again")
    _record(state, name).unlink(missing_ok=True)
    return was_alive


def recorded(state: Path) -> list[Process]:
    """The processes that were started and not stopped, the oldest first."""
    records = sorted((state / "processes").glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [process for record in records if (process := find(state, record.stem))]


def stop_all(state: Path) -> list[str]:
    """Stop every recorded process of ``state``, the newest first; the names of those that ran."""
    return [process.name for process in reversed(recorded(state)) if stop(state, process.name)]


def end_with_parent(poll: float = 0.5, end: Callable[[], None] = lambda: os._exit(1)) -> None:
    """End this process, by ``end``, soon after its parent: a killed engine leaves its plugins behind otherwise.

    The kernel's own parent-death signal is of no use here: it follows the parent's *thread*, and the engine's
    threads come and go.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll)
        end()

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


class _Seen(NamedTuple):
    """What the system says of a process: its state as a letter (``Z`` for a zombie), and when it started."""

    state: str
    started: str


def _seen(pid: int) -> _Seen | None:
    if Path("/proc/self/stat").exists():
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The name before it may hold anything, blanks and brackets too.
        fields = status.rpartition(")")[2].split()
        return _Seen(fields[0], fields[19])
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return _Seen(state, started.strip()) if started else None


def _record(state: Path, name: str) -> Path:
    return state / "processes" / f"{name}.json"


def _write(state: Path, process: Process) -> None:
    write_json(
        _record(state, process.name),
        {"pid": process.pid, "started": process.started, "port": process.port, "stopping": process.stopping},
    )


def _wait(process: Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while process.alive and time.monotonic() < deadline:
        for child in _children:
            child.poll()
        time.sleep(0.02)


# Children of this very command: polled so that an ended one isn't left a zombie while the command runs on.
_children: list[subprocess.Popen[bytes]] = []


def _remember_child(child: subprocess.Popen[bytes]) -> None:
    _children.append(child)
