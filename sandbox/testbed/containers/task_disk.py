"""The disk of a task: a file system of the size of its ephemeral storage, which ends with the task agent.

It is a sparse file that is mounted over the task's folder. The agent has a separate mount namespace (`ENTER`), so the kernel
unmounts the file when the agent and the task's processes have ended, even if they are killed.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sandbox.testbed.containers.errors import TaskStartError

ENTER: Final = ("unshare", "--mount", "--propagation", "slave", "--")
"""The words in front of the agent's command. Mounts that this machine makes later are seen in its namespace, too."""
_PROGRAMS = ("unshare", "mkfs.ext4", "mount", "umount")
_MKFS = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard")


@contextlib.contextmanager
def mounted(folder: Path, gib: int) -> Iterator[None]:
    """Limit what the empty ``folder`` and everything in it may have to ``gib``."""
    image = folder.with_name(f"{folder.name}.disk")
    try:
        with image.open("wb") as file:
            file.truncate(gib << 30)
        _run(*_MKFS, str(image))
        _run("mount", "-o", "loop,nosuid,nodev", str(image), str(folder))
        # The file is used by the mount alone from here on.
        image.unlink()
        (folder / "lost+found").rmdir()
        yield
    finally:
        image.unlink(missing_ok=True)
        if folder.is_mount():
            # A process that has just been killed may still hold a file.
            _run("umount", "--lazy", str(folder))


@functools.cache
def why_not() -> str:
    """Why this machine can't limit the disk of a task; empty if it can."""
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"this machine has no {' and no '.join(missing)}"
    if os.geteuid() != 0:
        return "only root can mount a task's disk"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder), 1):
                return ""
        except TaskStartError as problem:
            return f"this machine can't mount a task's disk: {problem}"


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise TaskStartError(f"the task's disk: {(ran.stderr.strip().splitlines() or [command[0]])[-1]}")
