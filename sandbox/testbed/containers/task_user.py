"""Selects the user that a task's processes run as: a separate user, if this machine allows it.

As on Fargate, a plan can then access neither the sandbox's files nor the environment and memory of its processes. Only
root can start a process as another user, and that user must have access to the task's files.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_OFFSET = 1_000_000
"""Added to the container's user and group IDs, because this machine's own users have small IDs."""
_IMAGE_USER = "100"
_USERS = {"root": "0", "atlantis": "100"}
_GROUPS = {"root": "0", "atlantis": "1000", "0": "0", "100": "1000"}
"""The groups of the image by name, and those of its users by the user's ID."""


class TaskUserError(Exception):
    """Why tasks run as the user that runs the sandbox."""


@dataclass(frozen=True)
class TaskUser:
    """IDs of a user and a group."""

    uid: int
    gid: int

    def own(self, directory: Path) -> None:
        """Make the user the owner of ``directory`` and everything in it.

        The previous task may still delete files of the volume, such as the working directories of a closed pull request.
        """
        self._own(directory)
        for folder, folders, files in os.walk(directory):  # skips a directory that is deleted before it is listed
            for name in (*folders, *files):
                self._own(Path(folder, name))

    def _own(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def container_user(user: str) -> TaskUser:
    """The IDs in a container for its ``user``: ``uid``, ``uid:gid``, names of the image, or empty for the image's user.

    Raises:
        TaskUserError: there is no such user in the image.
    """
    name, _, group = (user or _IMAGE_USER).partition(":")
    uid = _USERS.get(name, name)
    gid = _GROUPS.get(group, group) or _GROUPS.get(uid, "0")
    if not (uid.isdecimal() and gid.isdecimal()):
        raise TaskUserError(f"the container's user {user!r} is neither uid:gid nor a user of the image")
    return TaskUser(int(uid), int(gid))


def choose(user: str, *, readable: Iterable[Path], programs: Iterable[str], opened: Iterable[Path]) -> TaskUser:
    """Return a user that nothing else on this machine uses, for the container's ``user``.

    The user must have access to the files ``readable`` and to the ``programs`` on PATH. ``opened`` are the sandbox's
    directories above the task's files: the user may traverse them, but not list them.

    Raises:
        TaskUserError: this machine doesn't allow a separate user; the message states the reason.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise TaskUserError("only root on Linux can start them as another user")
    inside = container_user(user)
    chosen = TaskUser(_OFFSET + inside.uid, _OFFSET + inside.gid)
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
