"""The program of a worker's container `executor`: takes commands on a socket, each in a separate process."""

import argparse
import gc
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from isolation import paths, supervisor
from isolation.copying import shows_changes
from isolation.job import Limits
from isolation.outcomes import Outcomes
from isolation.supervisor import Options, Slots
from isolation.users import SHARED_PLACES, Users, as_user, kill_all

_GRACE = {paths.PLAN: 60, paths.APPLY: 1800}
"""Seconds that an interrupted command has. An apply waits for the requests that it has sent."""
_IDLE = 6 * 3600
"""Seconds after which a checkout that no command has used is removed; the next command copies it again."""
_CLEAN_EVERY = 60
_RESULTS_WITHIN = 100
"""Seconds, below `stopTimeout`, in which a worker that was stopped keeps the results of applies whose server is gone."""
_FREE_SHARE = 0.2
"""Share of the disk below which idle checkouts are removed earlier, the oldest first."""


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="executor", description=__doc__, allow_abbrev=False)
    parser.add_argument("role", choices=paths.ROLES)
    parser.add_argument("--commands", type=int, required=True, help="how many commands run at once")
    parser.add_argument(
        "--continues-minutes", type=float, default=0, help="how long a command continues after its server is gone"
    )
    parser.add_argument(
        "--grace", type=float, help="seconds between the interrupt of an abandoned command and its kill"
    )
    parser.add_argument("--free-disk", type=int, default=Limits.free_disk, help="bytes that commands leave free")
    parser.add_argument(
        "--largest-copy",
        type=int,
        default=Limits.largest_copy,
        help="bytes that the files of a checkout's user may have",
    )
    arguments = parser.parse_args()
    users = Users(paths.data_directory() / "repos", paths.STATE)
    problem = _start_problem(users)
    if problem:
        print(f"{arguments.role}: {problem}", file=sys.stderr, flush=True)
    grace = _GRACE[arguments.role] if arguments.grace is None else arguments.grace
    options = Options(
        role=arguments.role,
        users=users,
        keeps_copies=not problem and shows_changes(users.repositories),
        limits=Limits(
            grace=grace,
            free_disk=arguments.free_disk,
            largest_copy=arguments.largest_copy,
            continues=60 * arguments.continues_minutes,
        ),
        slots=Slots(paths.STATE / "slots", arguments.commands),
        outcomes=Outcomes(paths.STATE / "outcomes"),
        problem=problem,
    )
    _Executor(options, paths.listen(paths.EXECUTOR_SOCKET)).run()


class _Executor:
    """Accepts connections, ends what is left at SIGTERM, and reaps: it is the first process of its container."""

    def __init__(self, options: Options, listener: socket.socket) -> None:
        self._options, self._listener = options, listener
        self._children: set[int] = set()
        self._stopping, self._stop_at = False, 0.0
        self._reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def run(self) -> None:
        """Serve until SIGTERM, then wait for the commands that are interrupted."""
        selector = selectors.DefaultSelector()
        selector.register(self._listener, selectors.EVENT_READ)
        selector.register(self._reader, selectors.EVENT_READ)
        print(f"{self._options.role}: ready for commands", flush=True)
        clean_at = time.monotonic() + _CLEAN_EVERY
        # Each command's process shares this one's memory. Collections of garbage would write into all of its objects, and copy them.
        gc.freeze()
        while not self._ended():
            for key, _ in selector.select(1 if self._stopping else max(0.0, clean_at - time.monotonic())):
                if key.fd == self._reader:
                    os.read(self._reader, 512)
                else:
                    self._accept()
            self._reap()
            if time.monotonic() >= clean_at:
                self._fork(lambda: clean(self._options))
                clean_at = time.monotonic() + _CLEAN_EVERY

    def _ended(self) -> bool:
        """Whether this worker was stopped, nothing runs, and the server's agent has had its time to ask for results."""
        if not self._stopping or self._children:
            return False
        return time.monotonic() > self._stop_at + _RESULTS_WITHIN or not self._options.outcomes.waiting()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._fork(lambda: supervisor.serve(connection, self._options, ending=self._stopping))
        connection.close()

    def _fork(self, work: Callable[[], object]) -> None:
        sys.stdout.flush()
        child = os.fork()
        if child:
            self._children.add(child)
            return
        code = 1
        try:
            self._listener.close()
            signal.set_wakeup_fd(-1)
            os.close(self._reader)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            work()
            code = 0
        except BaseException as problem:  # noqa: BLE001 a child process that must not return into its parent's code
            print(f"{self._options.role}: {type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._children.discard(pid)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping, self._stop_at = True, time.monotonic()
        for child in self._children:
            os.kill(child, signal.SIGTERM)


def clean(options: Options) -> None:
    """Remove checkouts that no command has used for long, and while the disk is nearly full the oldest ones that are idle."""
    options.outcomes.clean()
    users = options.users
    for used, name in users.idle():
        usage = shutil.disk_usage(users.repositories)
        if time.time() - used > _IDLE or usage.free < usage.total * _FREE_SHARE:
            users.remove(name)


def _start_problem(users: Users) -> str:
    """Try what every command needs; what doesn't work here, as a sentence."""
    name = "isolation/self-check/0/default"
    try:
        for folder in SHARED_PLACES:
            # A volume is root's alone at first. In a directory of a read-only root, no command can leave anything.
            if Path(folder).is_dir() and not os.statvfs(folder).f_flag & os.ST_RDONLY:
                Path(folder).chmod(0o1777)
        users.prepare()
        with users.tenant(name) as tenancy:
            if as_user(tenancy.uid, (tenancy.root / "file").touch):
                return f"a user of a checkout can't write below {users.repositories}: every directory above must allow it to pass"
            if as_user(tenancy.uid, (users.repositories / "file").touch, quiet=True) == 0:
                return f"a user of a checkout can write {users.repositories}, so users aren't separated here"
            sleeper = subprocess.Popen(["sleep", "60"], user=tenancy.uid, group=tenancy.uid, extra_groups=[])
            kill_all(tenancy.uid)
            sleeper.wait(10)
        users.remove(name)
    except (OSError, subprocess.SubprocessError) as problem:
        return (
            f"this container can't run commands as other users ({problem}): it needs the user 0, the capabilities CHOWN, "
            "DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID and SETUID, and its volumes writable"
        )
    return ""
