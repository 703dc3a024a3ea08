"""One process of a command: started as its checkout's user, watched, interrupted and ended with all it has started."""

import contextlib
import ctypes
import json
import os
import resource
import selectors
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isolation import protocol
from isolation.protocol import Channel
from isolation.users import Tenancy, as_user, end_user, processes, shared_files

_NO_NEW_PRIVILEGES = 38
_C_LIBRARY = ctypes.CDLL(None, use_errno=True)
_NOT_FOUND = 127
_RLIMIT_MSGQUEUE = 12
"""Linux' number, which the module `resource` lacks."""


@dataclass(frozen=True)
class Limits:
    """What a command may use before it is ended."""

    grace: float
    """Seconds from the interrupt to the kill, for a command that nobody waits for any more."""
    continues: float = 0
    """Seconds that a command continues after its connection has ended; then it is interrupted."""
    processes: int = 4096
    free_disk: int = 1 << 30
    """Bytes. A command is ended when the disk has less and its own files have more."""
    largest_copy: int = 5 << 30
    """Bytes. A command is ended when the files of its checkout's user have more."""


class _DiskUse:
    """The files of the user `uid` in `folders`, in shared directories, and those that only its processes have still open.

    The volumes of a task have no quota, so they are counted: at the first question, because most commands have ended before it.
    """

    def __init__(self, uid: int, folders: Sequence[Path], limits: Limits) -> None:
        self._uid, self._folders = uid, folders
        self._most, self._least_free = limits.largest_copy, limits.free_disk
        self._used: int | None = None
        self._free_then = 0

    def problem(self) -> str:
        """What is wrong; empty if nothing is. Counts only if the disk has lost so much that it can make a difference."""
        free = self._free()
        known = self._used is not None and self._used + self._free_then - free <= self._most
        if known and free >= self._least_free:
            return ""
        (self._used, hides), self._free_then = self._count(), free
        if self._used > self._most:
            return f"this checkout's files have {self._used} bytes, and may have {self._most}"
        if free < self._least_free < self._used:
            return f"the disk has less than {self._least_free} bytes left, this command's files have {self._used}"
        if free < self._least_free and hides:
            return (
                f"the disk has less than {self._least_free} bytes left, and this command hides which files it has open"
            )
        return ""

    def empty(self) -> None:
        """Remove all files; the next command copies the checkout again."""
        for folder in self._folders:
            for entry in folder.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink()

    def _free(self) -> int:
        status = os.statvfs(self._folders[0])
        return status.f_bavail * status.f_frsize

    def _count(self) -> tuple[int, bool]:
        """Bytes, and whether a process of the user can't be examined."""
        entries = [*self._folders, *shared_files(self._uid)]
        reader, writer = os.pipe()
        try:
            # Only the user itself may look at its processes, and not at those that forbid it.
            as_user(self._uid, lambda: os.write(writer, json.dumps(_open_only(self._uid)).encode()))
            os.close(writer)
            with open(reader, closefd=False, encoding="ascii") as file:
                unlinked, hides = json.loads(file.read() or "[0, true]")
        finally:
            os.close(reader)
        return sum(map(_size, entries)) + unlinked, hides


def _open_only(uid: int) -> tuple[int, bool]:
    """The bytes of files without a name that processes of `uid` have open, and whether one of them can't be examined."""
    files: dict[tuple[int, int], int] = {}
    hides = False
    for process in processes(uid):
        try:
            for descriptor in os.listdir(f"/proc/{process}/fd"):  # noqa: PTH208
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(f"/proc/{process}/fd/{descriptor}")  # noqa: PTH116
                    if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                        files[status.st_dev, status.st_ino] = status.st_blocks * 512
        except PermissionError:
            hides = True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return sum(files.values()), hides


def _size(entry: Path) -> int:
    """The bytes of a file, or of all files below a directory."""
    total = 0
    with contextlib.suppress(OSError):
        total = entry.lstat().st_blocks * 512
    for path, _, names in os.walk(entry):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_blocks * 512  # noqa: PTH118
    return total


class Interrupts:
    """Whether this process was asked to end its command (SIGTERM), as a descriptor to wait on."""

    def __init__(self) -> None:
        self.received = False
        self.reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._receive)
        # A signal that is ignored stays ignored in the command, so SIGINT has a handler that does nothing.
        signal.signal(signal.SIGINT, lambda _number, _frame: None)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _receive(self, _number: int, _frame: object) -> None:
        self.received = True


@dataclass(frozen=True)
class Attention:
    """What a process gets while it runs."""

    interrupts: Interrupts
    limits: Limits
    send: Callable[[bytes, bytes], None]
    """Takes the kind and the content of its output."""
    abandoned: Callable[[], None]
    """Is called when the connection ends and the command continues."""
    periodically: Callable[[], str]
    """Is called every second; returns a note for standard error."""


class _Attendance:
    """Carries the input, output and signals of one process until it has ended."""

    def __init__(
        self, channel: Channel, tenancy: Tenancy, process: "subprocess.Popen[bytes]", attention: Attention
    ) -> None:
        self._channel, self._process, self._attention, self._limits = channel, process, attention, attention.limits
        self.filled_disk = False
        self.disk = _DiskUse(tenancy.uid, [tenancy.root, tenancy.home], self._limits)
        self._kill_at: float | None = None
        self._interrupt_at: float | None = None
        self._connected = True
        self.message = ""
        self._selector = selectors.DefaultSelector()
        self._outputs: dict[int, bytes] = {}
        for pipe, kind in ((process.stdout, protocol.OUTPUT), (process.stderr, protocol.ERROR_OUTPUT)):
            if pipe:
                self._outputs[pipe.fileno()] = kind
                self._selector.register(pipe, selectors.EVENT_READ)
        self._selector.register(channel.connection, selectors.EVENT_READ)
        self._selector.register(attention.interrupts.reader, selectors.EVENT_READ)

    def attend(self) -> None:
        """Return when the process has ended, and what it has printed is sent."""
        ended = os.pidfd_open(self._process.pid)
        self._selector.register(ended, selectors.EVENT_READ)
        if self._attention.interrupts.received:
            self._interrupt()
        next_look = time.monotonic() + 1
        try:
            while True:
                ready = [key.fd for key, _ in self._selector.select(max(0.0, next_look - time.monotonic()))]
                for descriptor in ready:
                    self._handle(descriptor)
                # A heartbeat's signal may have read some.
                self._messages(self._channel.waiting())
                if ended in ready:
                    break
                if time.monotonic() >= next_look:
                    self._look()
                    next_look = time.monotonic() + 1
        finally:
            os.close(ended)
            self._selector.unregister(ended)

    def drain(self, patience: float) -> None:
        """Send what is left in the pipes; a process that outlives the command may hold them open."""
        deadline = time.monotonic() + patience
        for descriptor in list(self._outputs):
            os.set_blocking(descriptor, False)
        while self._outputs and (left := deadline - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                if key.fd in self._outputs:
                    self._read(key.fd)
                elif key.fd == self._channel.connection.fileno():
                    self._messages(self._channel.available())

    def _handle(self, descriptor: int) -> None:
        if descriptor in self._outputs:
            self._read(descriptor)
        elif descriptor == self._attention.interrupts.reader:
            os.read(descriptor, 64)
            if self._attention.interrupts.received:
                self._interrupt()
        elif descriptor == self._channel.connection.fileno():
            self._messages(self._channel.available())

    def _read(self, descriptor: int) -> None:
        try:
            content = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        if content:
            self._output(self._outputs[descriptor], content)
        else:
            self._selector.unregister(descriptor)
            del self._outputs[descriptor]

    def _output(self, kind: bytes, content: bytes) -> None:
        """Send output. A process must never wait for a reader that is gone."""
        try:
            self._attention.send(kind, content)
        except OSError:
            self._disconnect()

    def _messages(self, messages: Iterable[tuple[bytes, bytes] | None]) -> None:
        for message in messages:
            if message is None:
                self._disconnect()
            elif message[0] == protocol.INTERRUPT:
                self._interrupt()
            elif message[0] == protocol.INPUT:
                self._input(message[1])
            elif message[0] == protocol.INPUT_END:
                self._close_input()

    def _input(self, content: bytes) -> None:
        if self._process.stdin:
            try:
                self._process.stdin.write(content)
                self._process.stdin.flush()
            except BrokenPipeError:
                self._close_input()

    def _close_input(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.stdin = None

    def _disconnect(self) -> None:
        """The shim is gone: the server, its task or the network has ended, or the job was cancelled."""
        if self._connected:
            self._connected = False
            self._selector.unregister(self._channel.connection)
            if self._limits.continues:
                self._interrupt_at = time.monotonic() + self._limits.continues
                self._attention.abandoned()
            else:
                self._interrupt()

    def _interrupt(self) -> None:
        """Interrupt the process once: Terraform ends at a second interrupt without releasing the state's lock."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._limits.grace
            # The shells and tools that start Terraform pass it on; Terraform's own plugins ignore it.
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    def _look(self) -> None:
        if note := self._attention.periodically():
            self._output(protocol.ERROR_OUTPUT, f"{note}\n".encode())
        if self._interrupt_at is not None and self._kill_at is None and time.monotonic() > self._interrupt_at:
            self.message = f"interrupted {self._limits.continues / 60:.0f} minutes after its server was gone"
            self._interrupt()
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self._end(f"killed {self._limits.grace:.0f} s after the interrupt")
        elif problem := self.disk.problem():
            self.filled_disk = True
            self._end(f"killed: {problem}")

    def _end(self, message: str) -> None:
        self.message = message
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def run(
    channel: Channel,
    tenancy: Tenancy,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    merge: bool,
    attention: Attention,
) -> tuple[int, str]:
    """Run `command` as the checkout's user; returns its exit code and a message.

    On return, no process of the user is left, unless another command of the same checkout still runs.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            env=dict(environment),
            umask=0o022,
            start_new_session=True,
            preexec_fn=lambda: _confine(tenancy.uid, directory, attention.limits),  # noqa: PLW1509 this process has one thread
        )
    except FileNotFoundError:
        return _NOT_FOUND, f"{command[0]} isn't in the image of the workers"
    except (OSError, subprocess.SubprocessError) as problem:
        return 126, f"{command[0]} can't be started in {directory}: {problem}"
    attendance = _Attendance(channel, tenancy, process, attention)
    try:
        attendance.attend()
        process.wait()
        alone = tenancy.try_alone()
        if alone:
            end_user(tenancy.uid)
            if attendance.filled_disk:
                as_user(tenancy.uid, attendance.disk.empty)
        attendance.drain(5 if alone else 1)
    except BaseException:
        if tenancy.try_alone():
            end_user(tenancy.uid)
        raise
    return process.returncode, attendance.message


def _confine(uid: int, directory: Path, limits: Limits) -> None:
    """In the new process: it becomes the user, no program gives it other rights, and it can't fill tables."""
    # When memory runs out, the kernel ends a command instead of the executor. Its children inherit that, and can't undo it.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if _C_LIBRARY.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    processes = limits.processes if hard == resource.RLIM_INFINITY else min(limits.processes, hard)
    resource.setrlimit(
        resource.RLIMIT_NPROC, (processes if soft == resource.RLIM_INFINITY else min(processes, soft), processes)
    )
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Message queues of POSIX outlive their processes, and only their names lead to them.
    resource.setrlimit(_RLIMIT_MSGQUEUE, (0, 0))
    # Files are counted once a second; one file doesn't get larger than all may be together.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.largest_copy, limits.largest_copy))
    os.chdir(directory)
