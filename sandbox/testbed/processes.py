"""Background processes, which continue after the command that starts them and which a later command stops.

A process is identified by its ID and its start time: by the time of ``make down``, the ID alone may belong to another
process. Each process is recorded in ``<state>/processes/<name>.json``.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.paths import private_directory


@dataclass(frozen=True)
class Process:
    """A process that was started under ``name``; ``port`` is the loopback port it serves, if any.

    ``stopping`` is true if a command has started to stop it. That command may have been killed before it finished.
    """

    name: str
    pid: int
    started: str
    port: int | None = None
    stopping: bool = False

    @property
    def alive(self) -> bool:
        """Whether this process still runs, and not another one with the same ID."""
        return start_time(self.pid) == self.started

    @property
    def lasting(self) -> bool:
        """Whether it runs and no command has started to stop it."""
        return self.alive and not self.stopping

    def describe(self) -> str:
        """A one-line description of the process, such as ``local-aws: process 4711, 127.0.0.1:40123``."""
        address = f", 127.0.0.1:{self.port}" if self.port else ""
        standing = (", being stopped" if self.stopping else address) if self.alive else ", ended"
        return f"{self.name}: process {self.pid}{standing}"


def start_time(pid: int) -> str | None:
    """The start time of process ``pid``, in the system's notation; None if it doesn't run or is a zombie."""
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
    umask: int = 0o077,
    descriptors: Sequence[int] = (),
    main: "Callable[[subprocess.Popen[bytes]], int] | None" = None,
) -> Process:
    """Start ``command`` detached from the terminal, with its output in ``<state>/logs/<name>.log``, and record it.

    It inherits ``descriptors``. If ``command`` only starts the process to be recorded, and ends with its exit code,
    ``main`` returns the ID of that one.
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
            umask=umask,
            pass_fds=descriptors,
        )
    finally:
        os.close(descriptor)
    pid = main(child) if main else child.pid
    seen = _seen(pid)
    if seen is None:
        # ``main``'s process has already ended, and the child ends with its exit code. A child that has exited is a zombie until
        # it is polled, and still has a start time.
        pid, seen = child.pid, _seen(child.pid)
    if seen is None:
        raise SandboxError(f"{name} exited immediately; its output is in {log}")
    process = Process(name, pid, seen.started, port)
    _children[pid, seen.started] = child
    _write(state, process)
    return process


def find(state: Path, name: str) -> Process | None:
    """The process recorded under ``name``, running or not; None if none was started or ``stop`` has stopped it."""
    record = read_json(_record(state, name))
    return None if record is None else Process(name, **record)


def stop(state: Path, name: str, *, patience: float = 15.0) -> bool:
    """Stop the process ``name``: SIGTERM, then SIGKILL after ``patience`` seconds. False if it didn't run."""
    process = find(state, name)
    if process is None:
        return False
    was_alive = process.alive
    if was_alive:
        # Before the signal: if this command is killed here, the next one must not treat the process as running.
        _write(state, replace(process, stopping=True))
    for signal_number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if not process.alive:
            break
        with suppress(ProcessLookupError):  # it ended in between
            os.kill(process.pid, signal_number)
        _wait(process, seconds)
    if process.alive:
        raise SandboxError(f"{name} (process {process.pid}) doesn't end. Kill it, then run the command again")
    _record(state, name).unlink(missing_ok=True)
    return was_alive


def recorded(state: Path) -> list[Process]:
    """The processes that were started and not stopped, oldest first."""
    records = sorted((state / "processes").glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [process for record in records if (process := find(state, record.stem))]


def stop_all(state: Path) -> list[str]:
    """Stop every recorded process of ``state``, newest first, and return the names of those that ran."""
    return [process.name for process in reversed(recorded(state)) if stop(state, process.name)]


def descendants(pid: int) -> Iterator[int]:
    """The IDs of the processes that ``pid`` has started, and of those that they have started (Linux)."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return
    for task in tasks:
        try:
            children = [int(child) for child in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from descendants(child)


def end_child(child: "subprocess.Popen[bytes]", patience: float) -> None:
    """End a child of this process: SIGTERM, then SIGKILL after ``patience`` seconds."""
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def end_with_parent(poll: float = 0.5, end: Callable[[], None] = lambda: os._exit(1)) -> None:
    """Call ``end`` soon after the parent has exited. Otherwise, the plugins of a killed engine would keep running.

    The kernel's parent-death signal can't be used: it is sent when the parent's *thread* exits, and the engine's
    threads are short-lived.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll)
        end()

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


class _Seen(NamedTuple):
    """A process as the system reports it: its state as a letter (``Z`` for a zombie), and its start time."""

    state: str
    started: str


def _seen(pid: int) -> _Seen | None:
    if Path("/proc/self/stat").exists():
        try:
            status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The fields follow the process name in parentheses. The name itself can contain blanks and parentheses.
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
        for child in list(_children.values()):
            child.poll()
        time.sleep(0.02)


def exit_code(process: Process) -> int | None:
    """The exit code of a process that this command started, negative for a signal; None while it runs, or if another did."""
    child = _children.get((process.pid, process.started))
    return child.poll() if child else None


# Child processes of this command. Polling them prevents zombies while the command runs.
_children: dict[tuple[int, str], subprocess.Popen[bytes]] = {}
