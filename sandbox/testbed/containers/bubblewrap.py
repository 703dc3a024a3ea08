"""Runs a container as bubblewrap does: own mounts, processes, users and capabilities, and the network of its task.

Three programs start a container's process 1. ``bwrap`` makes its file system, ``unshare`` its process namespace, and
``setpriv`` drops capabilities and switches to its user. ``bwrap`` could do the second as well, but its process that stays outside
gives up its capabilities. If it were killed, the kernel wouldn't let it kill a process 1 of another user. Each process kills the
next one when it ends, so a container ends with the task agent, even if that is killed. A shell waits for process 1, because it exits
with 128 and the number of the signal that killed it; ``unshare`` exits with 1 after SIGKILL.
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.testbed.errors import SandboxError

_START_SECONDS = 10.0
_PROGRAMS = ("bwrap", "unshare", "setpriv", "nsenter")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ContainerUser:
    """The user and the capabilities (without ``CAP_``) of a container's processes."""

    uid: int
    gid: int
    capabilities: frozenset[str] = frozenset()

    def command(self) -> list[str]:
        """The program that switches to this user and executes the words that follow."""
        kept = "".join(f",+{name.lower()}" for name in sorted(self.capabilities))
        return [
            "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            "--inh-caps=-all",
            f"--bounding-set=-all{kept}",
            "--pdeathsig=KILL",
            "--",
        ]


def prefix(file_system: Iterable[str], user: ContainerUser, directory: str, info: int) -> list[str]:
    """The words before a container's command: it runs with ``file_system`` (bwrap's options) in ``directory``.

    bwrap writes about the process that it starts to the descriptor ``info``.
    """
    isolated = ["--die-with-parent", "--unshare-ipc", "--unshare-uts", "--info-fd", str(info), "--chdir", directory]
    return [
        _found("bwrap"),
        *isolated,
        *file_system,
        "--",
        # Its process 1 sees neither bwrap nor this process.
        *("unshare", "--pid", "--mount", "--propagation=private", "--"),
        *("/bin/sh", "-c", '"$@"; exit $?', "container"),
        *("/bin/sh", "-c", 'mount -t proc proc /proc && exec "$@"', "container"),
        *user.command(),
    ]


def enter(pid: int, user: ContainerUser, words: Sequence[str]) -> list[str]:
    """The command that executes ``words`` in the container whose process 1 is ``pid``, as ECS does for a health check."""
    return [
        _found("nsenter"),
        f"--target={pid}",
        "--mount",
        "--pid",
        "--ipc",
        "--uts",
        "--net",
        "--",
        *user.command(),
        *words,
    ]


def main_process(info: int, child: "subprocess.Popen[bytes]") -> int:
    """The ID on this machine of the container's process 1; ``info`` is the reading end of bwrap's descriptor.

    If that has already ended, it is the ID of bwrap, which ends with the same exit code.

    Raises:
        SandboxError: bwrap neither starts it nor ends.
    """
    deadline = time.monotonic() + _START_SECONDS
    os.set_blocking(info, False)
    written = b""
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            written += os.read(info, 4096)
        if written.rstrip().endswith(b"}") and (found := _only_child(json.loads(written)["child-pid"])):
            return found
        # bwrap must stay a zombie, which has a start time.
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return child.pid
        time.sleep(0.005)
    child.kill()
    raise SandboxError(f"bwrap didn't start the container within {_START_SECONDS:g} s")


def _found(program: str) -> str:
    """The path of a program that this machine runs: a container has another PATH."""
    return shutil.which(program) or program


def _only_child(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:  # noqa: PTH123 - a path of /proc
            return next(map(int, stream.read().split()), None)
    except (FileNotFoundError, ProcessLookupError):
        return None


@functools.cache
def why_not() -> str:
    """Why this machine can't run containers; empty if it can."""
    if not sys.platform.startswith("linux"):
        return "containers need Linux"
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if "bwrap" in missing:
        return "this machine has no bwrap: install it (Debian: apt-get install bubblewrap)"
    if missing:
        return f"this machine has no {' and no '.join(missing)}: install util-linux"
    if os.geteuid() != 0:
        return "only root can start processes of several users, which the containers of a task have"
    return _tried()


def _tried() -> str:
    """Start a container as tasks are started; the reason if it fails."""
    with os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb") as info:
        words = prefix(["--ro-bind", "/", "/", "--dev", "/dev"], ContainerUser(100, 1000), "/", info.fileno())
        tried = subprocess.run(
            [*words, "/bin/sh", "-c", "test $$ = 1 && test $(id -u) = 100"],
            pass_fds=[info.fileno()],
            env={"PATH": _PATH},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    if tried.returncode == 0:
        return ""
    said = (tried.stderr.strip().splitlines() or [f"exit code {tried.returncode}"])[-1]
    return f"this machine doesn't allow namespaces ({said})"
