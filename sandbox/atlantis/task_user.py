"""The user that a task's processes run as: one of their own, where the machine lets the sandbox give them one.

The sandbox's files, and the environment and memory of its processes, are then out of a plan's reach, as they are on
Fargate. Only root can start a process as another user, and that user must be able to get to the task's files.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TaskUser", "TaskUserError", "choose"]

_OFFSET = 1_000_000
"""Added to the ids of the container, whose small numbers belong to users of the machine."""
_IMAGE_USER = "100:1000"


class TaskUserError(Exception):
    """Why tasks run as the user of the command itself, for people."""


@dataclass(frozen=True)
class TaskUser:
    """A user and a group of this machine that nobody else uses."""

    uid: int
    gid: int

    def own(self, directory: Path) -> None:
        """Make ``directory`` and all that is in it the user's."""
        for path in (directory, *directory.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(user: str, *, readable: Iterable[Path], programs: Iterable[str], opened: Iterable[Path]) -> TaskUser:
    """The machine's user for the container's ``user`` (``uid:gid``, empty for the image's own).

    It must get at the files ``readable`` and at the ``programs`` on PATH. ``opened`` are directories of the sandbox on
    the way to the task's files: the user may pass through them, and not list them.

    Raises:
        TaskUserError: the machine doesn't allow it; the message says why.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise TaskUserError("only root on Linux can start them as another user")
    uid, _, gid = (user or _IMAGE_USER).partition(":")
    if not (uid.isdecimal() and gid.isdecimal()):
        raise TaskUserError(f"the container's user {user!r} is not uid:gid")
    chosen = TaskUser(_OFFSET + int(uid), _OFFSET + int(gid))
    for directory in opened:
        directory.chmod(0o711)
    needed = [*readable, *opened]
    test = """
    for path in "$@"; do test -r "$path" || test -x "$path" || { echo "$path"; exit 1; }; done
    for program in $PROGRAMS; do command -v "$program" >/dev/null || { echo "$program"; exit 1; }; done
    """
    tried = subprocess.run(
        ["/bin/sh", "-c", test, "sh", *map(str, needed)],
        user=chosen.uid,
        group=chosen.gid,
        extra_groups=[],
        env={"PATH": os.environ["PATH"], "PROGRAMS": " ".join(programs)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        raise TaskUserError(f"another user can't get at {tried.stdout.strip()}: a directory above it is closed")
    return chosen
