"""One user for each checkout, because `init` prepares what `plan` needs, and the end of everything that runs as a user."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FIRST, LAST = 20000, 59999
"""User IDs of checkouts. They stay below 65536, the number that a container with a user namespace usually has."""

SHARED_PLACES = ("/dev/shm", "/tmp", "/var/tmp")  # noqa: S108
"""The directories that the users of all commands can write."""
# The kernel's objects of System V: shared memory, semaphores, message queues. A limit forbids the queues of POSIX.
_REMOVE = 0
_OBJECTS: tuple[tuple[str, Callable[[ctypes.CDLL, int], int]], ...] = (
    ("shm", lambda library, number: library.shmctl(number, _REMOVE, None)),
    ("sem", lambda library, number: library.semctl(number, 0, _REMOVE)),
    ("msg", lambda library, number: library.msgctl(number, _REMOVE, None)),
)


class Tenancy:
    """A command's hold on a checkout's user. Commands of one checkout may run at once; the last one ends its processes."""

    def __init__(self, users: "Users", name: str, uid: int, locks: tuple[int, int]) -> None:
        # The first is held all the time, against a removal: the kernel releases a lock for a moment when its kind changes.
        self._in_use, self._lock = locks
        self.name, self.uid = name, uid
        self.root = users.repositories / name
        self.home = users.state / "home" / str(uid)

    def try_alone(self) -> bool:
        """Whether no other command of this checkout runs; if so, a new one waits until `share` or the end."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            return False
        return True

    def share(self) -> None:
        """Let other commands of this checkout run."""
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        """Give the hold up."""
        os.utime(self._lock)
        os.close(self._lock)
        os.close(self._in_use)


@dataclass(frozen=True)
class Users:
    """The users of an executor: `repositories` has their checkouts, `state` their homes and locks."""

    repositories: Path
    state: Path

    def prepare(self) -> None:
        """Make the directories, which every user may pass and none may change."""
        for folder in (self.state, self.state / "home", self.state / "locks"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        (self.state / "locks").chmod(0o700)
        self.repositories.chmod(0o711)

    @contextlib.contextmanager
    def tenant(self, name: str) -> Iterator[Tenancy]:
        """Hold the user of the checkout `name`, which is made if there is none; waits for a command that ends."""
        in_use, lock = self._open(name, "in-use"), self._open(name, "lock")
        for descriptor in (in_use, lock):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        tenancy = Tenancy(self, name, self._user(name), (in_use, lock))
        try:
            yield tenancy
        finally:
            tenancy.close()

    def idle(self) -> list[tuple[float, str]]:
        """When each checkout was used last, the oldest first."""
        found = []
        for lock in (self.state / "locks").glob("*.lock"):
            name = urllib.parse.unquote(lock.name.removesuffix(".lock"))
            if (self.repositories / name).exists():
                found.append((lock.stat().st_mtime, name))
        return sorted(found)

    def remove(self, name: str) -> bool:
        """Remove a checkout with all its user has, unless a command runs there; whether it is gone.

        The locks' files stay: a command may have opened them already.
        """
        lock = self._open(name, "in-use")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            root = self.repositories / name
            if root.exists():
                uid = root.stat().st_uid
                end_user(uid)
                shutil.rmtree(root)
                for folder in (self.state / "home" / str(uid), *(self.state / "credentials").glob(f"{uid}-*")):
                    shutil.rmtree(folder, ignore_errors=True)
                for marker in (self.state / "locks").glob(f"{uid}-*"):
                    marker.unlink()
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    def _open(self, name: str, kind: str) -> int:
        file = self.state / "locks" / f"{urllib.parse.quote(name, safe='')}.{kind}"
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _user(self, name: str) -> int:
        """The user that owns the checkout's directory, which is made for a new user if there is none."""
        with open(self.state / "locks" / "users", "a+", encoding="utf-8") as file:  # noqa: PTH123
            fcntl.flock(file, fcntl.LOCK_EX)
            root = self.repositories / name
            uid = root.stat().st_uid if root.exists() else self._next(file.fileno())
            for folder in reversed(root.parents):
                if folder.is_relative_to(self.repositories) and folder != self.repositories:
                    folder.mkdir(exist_ok=True)
                    folder.chmod(0o711)
            # An interrupted removal leaves one of the two.
            for folder in (root, self.state / "home" / str(uid)):
                if not folder.exists():
                    made = folder.with_name(f".{folder.name}.new")
                    shutil.rmtree(made, ignore_errors=True)
                    made.mkdir(mode=0o700)
                    os.chown(made, uid, uid)
                    made.rename(folder)
            return uid

    def _next(self, counter: int) -> int:
        """The next user that no checkout has; a number comes back only after all others were used."""
        os.lseek(counter, 0, os.SEEK_SET)
        last = int(os.read(counter, 16) or FIRST - 1)
        taken = {int(folder.name) for folder in (self.state / "home").iterdir() if folder.name.isdecimal()}
        for step in range(1, LAST - FIRST + 2):
            uid = FIRST + (last - FIRST + step) % (LAST - FIRST + 1)
            if uid not in taken:
                os.ftruncate(counter, 0)
                os.write(counter, str(uid).encode())
                return uid
        raise OSError(f"all users from {FIRST} to {LAST} have a checkout")


def as_user(uid: int, work: Callable[[], object], *, quiet: bool = False) -> int:
    """Run `work` in a child process with the rights of `uid` only; returns its exit code, 0 if it returned.

    What it raises is printed into the container's log, unless `quiet`.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
            code = 0
        except BaseException as problem:  # noqa: BLE001 a child process that must not return into its parent's code
            if not quiet:
                os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def kill_all(uid: int, patience: float = 40) -> None:
    """Kill every process of `uid`; raises OSError if one is still there after `patience` seconds.

    The kernel sends the signal to all processes at once, so one that forks can't escape it.
    """
    if not FIRST <= uid <= LAST:
        raise ValueError(f"{uid} isn't the user of a checkout")
    deadline = time.monotonic() + patience
    while True:
        as_user(uid, _kill_mine)
        if not (left := processes(uid)):
            return
        if time.monotonic() > deadline:
            raise OSError(f"processes of the user {uid} can't be killed: {left}")
        time.sleep(0.005)


def _kill_mine() -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def processes(uid: int) -> list[int]:
    """Processes of `uid` that aren't dead. The owner of a process' directory is root if it isn't dumpable."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if not entry.isdecimal():
            continue
        try:
            with open(f"/proc/{entry}/status", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(uid) in status["Uid"].split() and not status["State"].startswith(("Z", "X")):
            found.append(int(entry))
    return found


def end_user(uid: int) -> None:
    """End everything of a user but its checkout and its home: processes, files elsewhere, objects of the kernel."""
    kill_all(uid)
    for entry in shared_files(uid):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    # Only an object's owner and its creator may remove it.
    if found := [(remove, number) for kind, remove in _OBJECTS for number in _objects(kind, uid)]:
        library = ctypes.CDLL(None)
        as_user(uid, lambda: [remove(library, number) for remove, number in found])


def shared_files(uid: int) -> list[Path]:
    """What the user has in the directories that all users can write."""
    found = []
    for place in SHARED_PLACES:
        for entry in Path(place).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if entry.lstat().st_uid == uid:
                    found.append(entry)
    return found


def _objects(kind: str, uid: int) -> list[int]:
    """The objects of one kind that the user owns or has made; a user can give its objects to another one."""
    with contextlib.suppress(FileNotFoundError):
        names, *lines = [
            line.split() for line in Path(f"/proc/sysvipc/{kind}").read_text(encoding="ascii").splitlines()
        ]
        objects = [dict(zip(names, line, strict=False)) for line in lines]
        # The second column is the ID, under another name for each kind.
        return [int(found[names[1]]) for found in objects if str(uid) in (found["uid"], found["cuid"])]
    return []
