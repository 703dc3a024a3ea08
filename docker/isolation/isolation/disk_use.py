"""How much of the disk a checkout's user takes; the volumes of a task have no quota."""

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from isolation.users import as_user, processes, shared_files

__all__ = ["DiskUse"]


class DiskUse:
    """The files of the user `uid` in `folders`, in shared directories, and those that only its processes have still open.

    They may have at most `most` bytes, and fewer than `least_free` if the disk has fewer left. They are counted at the first question,
    because most commands have ended before it.
    """

    def __init__(self, uid: int, folders: Sequence[Path], most: int, least_free: int) -> None:
        self._uid, self._folders, self._most, self._least_free = uid, folders, most, least_free
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
