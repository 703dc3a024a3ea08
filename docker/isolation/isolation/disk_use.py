"""How much of the disk a checkout's user takes; the volumes of a task have no quota."""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

__all__ = ["DiskUse"]


class DiskUse:
    """The files in `folders`, which are on one disk: at most `most` bytes, and fewer than `least_free` if the disk has fewer left.

    They are counted at the first question, because most commands have ended before it.
    """

    def __init__(self, folders: Sequence[Path], most: int, least_free: int) -> None:
        self._folders, self._most, self._least_free = folders, most, least_free
        self._used: int | None = None
        self._free_then = 0

    def problem(self) -> str:
        """What is wrong; empty if nothing is. Counts only if the disk has lost so much that it can make a difference."""
        free = self._free()
        known = self._used is not None and self._used + self._free_then - free <= self._most
        if known and free >= self._least_free:
            return ""
        self._used, self._free_then = self._count(), free
        if self._used > self._most:
            return f"this checkout's files have {self._used} bytes, and may have {self._most}"
        if free < self._least_free < self._used:
            return f"the disk has less than {self._least_free} bytes left, this command's files have {self._used}"
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

    def _count(self) -> int:
        return sum(_size(folder) for folder in self._folders)


def _size(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_blocks * 512  # noqa: PTH118
    return total
