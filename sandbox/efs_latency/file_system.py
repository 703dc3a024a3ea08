"""The operations of the file system: each is the one of the directory behind it, and takes as long as EFS would."""

import contextlib
import functools
import itertools
import os
import posixpath
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import mfusepy

from sandbox.efs_latency.mount import Latency

__all__ = ["CACHED_SECONDS", "Entry", "Files"]

P = ParamSpec("P")
T = TypeVar("T")

Entry = tuple[str, dict[str, int], int]
"""An entry of a directory: its name, its attributes, and the position of the next one."""
CACHED_SECONDS = 3
"""How long the client uses names and attributes without a question."""
_READDIRPLUS_AUTO = 1 << 14
_NOW, _OMIT = (1 << 30) - 1, (1 << 30) - 2
"""UTIME_NOW and UTIME_OMIT: nanoseconds that stand for the current time and for no change."""
_TIMES = ("atime", "mtime", "ctime")
_FIELDS = ("mode", "ino", "dev", "nlink", "uid", "gid", "size", "blocks", "blksize")


def _reads(operation: Callable[P, T]) -> Callable[P, T]:
    """The decorator of an operation that the server answers by reading."""
    return _waiting(operation, lambda latency: latency.read)


def _writes(operation: Callable[P, T]) -> Callable[P, T]:
    """The decorator of an operation that the server answers by writing."""
    return _waiting(operation, lambda latency: latency.write)


def _waiting(operation: Callable[P, T], seconds: Callable[[Latency], float]) -> Callable[P, T]:
    @functools.wraps(operation)
    def waiting(*args: P.args, **kwargs: P.kwargs) -> T:
        files = args[0]
        assert isinstance(files, Files)  # noqa: S101 - the decorators are for its methods
        end = time.monotonic() + seconds(files.latency)
        try:
            return operation(*args, **kwargs)
        finally:
            # One that fails was a request as well.
            _sleep_until(end)

    return waiting


def _sleep_until(end: float) -> None:
    if (left := end - time.monotonic()) > 0:
        time.sleep(left)


class Files(mfusepy.Operations):
    """The directory ``root`` with ``latency``. Paths are those below the mount point, and begin with a slash.

    It has no extended attributes, as EFS has none. The kernel does locks and checks permissions.
    """

    use_ns = True

    def __init__(self, root: Path, latency: Latency) -> None:
        self.latency = latency
        self._root = str(root.resolve())
        self._written: set[int] = set()
        """Descriptors with content that isn't flushed."""
        self._seen: dict[str, tuple[int, int, int]] = {}
        """The version of each file when it was opened or closed last, whose content the kernel has cached."""
        self._listings: dict[int, list[Entry]] = {}
        self._handles = itertools.count(1)
        self._known: dict[str, float] = {}
        """Until when the client knows the attributes of a path. The kernel asks for some that NFS has with the answer to a change."""

    def init_with_config(self, conn_info: Any, config_3: Any) -> None:  # noqa: ARG002 - the signature of mfusepy
        """Always list directories with attributes, instead of when the kernel expects that they are needed."""
        conn_info.want &= ~_READDIRPLUS_AUTO

    def getattr(self, path: str, fh: Any = None) -> dict[str, int]:
        """Read attributes. It takes no time for those that came with the answer to a change."""
        known = self._known.get(path, 0.0) > time.monotonic()
        end = time.monotonic() + (0 if known else self.latency.read)
        try:
            return _attributes(os.fstat(fh.fh) if fh else os.lstat(self._at(path)))
        finally:
            _sleep_until(end)

    def opendir(self, path: str) -> int:  # noqa: ARG002
        """A handle for the listing, which is read once."""
        return next(self._handles)

    def readdir(self, path: str, fh: int) -> list[Entry]:
        """The entries of a directory."""
        if fh not in self._listings:
            self._listings[fh] = self._listed(path)
        return self._listings[fh]

    @_reads
    def _listed(self, path: str) -> list[Entry]:
        found = [(name, _attributes(os.lstat(self._at(path)))) for name in (".", "..")]
        with os.scandir(self._at(path)) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    found.append((entry.name, _attributes(entry.stat(follow_symlinks=False))))
        return [(*entry, position) for position, entry in enumerate(found, 1)]

    def releasedir(self, path: str, fh: int) -> int:  # noqa: ARG002
        """Forget a listing."""
        self._listings.pop(fh, None)
        return 0

    @_reads
    def readlink(self, path: str) -> str:
        """Read a link."""
        return os.readlink(self._at(path))  # noqa: PTH115 - text as it is

    def statfs(self, path: str) -> dict[str, int]:
        """The room that the directory's disk has."""
        status = os.statvfs(self._at(path))
        return {name: getattr(status, name) for name in dir(status) if name.startswith("f_")}

    def open(self, path: str, fi: Any) -> int:  # type: ignore[override] - with raw_fi
        """Open a file. Its cached content stays valid if it has the version that was seen last."""
        end = time.monotonic() + (self.latency.write if fi.flags & os.O_TRUNC else self.latency.read)
        try:
            fi.fh = os.open(self._at(path), fi.flags)
        finally:
            _sleep_until(end)
        version = _version(fi.fh)
        fi.keep_cache = self._seen.get(path) == version
        self._seen[path] = version
        return 0

    @_writes
    def create(self, path: str, mode: int, fi: Any = None) -> int:
        """Create a file and open it."""
        fi.fh = os.open(self._at(path), fi.flags | os.O_CREAT, mode)
        self._own(path)
        return 0

    @_reads
    def read(self, path: str, size: int, offset: int, fh: Any) -> bytes:  # noqa: ARG002
        """Read content that the kernel hasn't cached."""
        return os.pread(fh.fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: Any) -> int:  # noqa: ARG002
        """Write into the client's cache, which is this machine's disk."""
        self._written.add(fh.fh)
        return os.pwrite(fh.fh, data, offset)

    def flush(self, path: str, fh: Any) -> int:
        """A descriptor is closed: what was written goes to the server. Otherwise, only a reader's close is a request."""
        if fh.fh in self._written:
            self._written.discard(fh.fh)
            self._seen[path] = _version(fh.fh)
            self._answers(path)
            time.sleep(self.latency.write)
        elif fh.flags & os.O_ACCMODE == os.O_RDONLY:
            time.sleep(self.latency.read)
        return 0

    def fsync(self, path: str, datasync: int, fh: Any) -> int:  # noqa: ARG002
        """Wait for the server, and not for this machine's disk as well."""
        self._written.discard(fh.fh)
        time.sleep(self.latency.write)
        return 0

    def release(self, path: str, fh: Any) -> int:  # noqa: ARG002
        """The last descriptor is closed; nothing waits for this."""
        self._written.discard(fh.fh)
        os.close(fh.fh)
        return 0

    @_writes
    def truncate(self, path: str, length: int, fh: Any = None) -> int:  # noqa: ARG002
        """Change a file's size."""
        os.truncate(self._at(path), length)
        return self._answers(path)

    @_writes
    def chmod(self, path: str, mode: int) -> int:
        """Change permissions."""
        os.chmod(self._at(path), mode)  # noqa: PTH101
        return self._answers(path)

    @_writes
    def chown(self, path: str, uid: int, gid: int) -> int:
        """Change the owner, the group or both."""
        os.lchown(self._at(path), uid, gid)
        return self._answers(path)

    @_writes
    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Change times."""
        there = os.lstat(self._at(path))
        now = time.time_ns()
        accessed, changed = (
            {_NOW: now, _OMIT: kept}.get(given, given)
            for given, kept in zip(times or (_NOW, _NOW), (there.st_atime_ns, there.st_mtime_ns), strict=True)
        )
        os.utime(self._at(path), ns=(accessed, changed), follow_symlinks=False)
        return self._answers(path)

    @_writes
    def mkdir(self, path: str, mode: int) -> int:
        """Create a directory."""
        os.mkdir(self._at(path), mode)  # noqa: PTH102
        return self._own(path)

    @_writes
    def mknod(self, path: str, mode: int, dev: int) -> int:
        """Create a file, a named pipe or a socket."""
        os.mknod(self._at(path), mode, dev)
        return self._own(path)

    @_writes
    def symlink(self, target: str, source: str) -> int:
        """Create the link ``target``, which leads to ``source``."""
        os.symlink(source, self._at(target))  # noqa: PTH211
        return self._own(target)

    @_writes
    def link(self, target: str, source: str) -> int:
        """Give the file ``source`` the name ``target`` as well."""
        os.link(self._at(source), self._at(target), follow_symlinks=False)
        return self._answers(target)

    @_writes
    def rename(self, old: str, new: str) -> int:
        """Rename, instead of what is there."""
        os.replace(self._at(old), self._at(new))  # noqa: PTH105
        for path in (old, new):
            self._seen.pop(path, None)
        return self._answers(old, new)

    @_writes
    def unlink(self, path: str) -> int:
        """Remove a name."""
        os.unlink(self._at(path))  # noqa: PTH108
        self._seen.pop(path, None)
        return self._answers(path)

    @_writes
    def rmdir(self, path: str) -> int:
        """Remove an empty directory."""
        os.rmdir(self._at(path))  # noqa: PTH106
        return self._answers(path)

    def _at(self, path: str) -> str:
        return self._root + path

    def _own(self, path: str) -> int:
        """Give what was created to the caller: this process is root's."""
        uid, gid, _ = mfusepy.fuse_get_context()
        os.lchown(self._at(path), uid, gid)
        return self._answers(path)

    def _answers(self, *paths: str) -> int:
        """A change of ``paths`` is answered with their attributes and those of the directories that they are in."""
        until = time.monotonic() + CACHED_SECONDS
        for path in paths:
            self._known[path] = self._known[posixpath.dirname(path)] = until
        return 0


def _attributes(status: os.stat_result) -> dict[str, int]:
    return {
        **{f"st_{name}": getattr(status, f"st_{name}") for name in _FIELDS},
        **{f"st_{name}": getattr(status, f"st_{name}_ns") for name in _TIMES},
    }


def _version(descriptor: int) -> tuple[int, int, int]:
    """What changes with a file's content."""
    status = os.fstat(descriptor)
    return status.st_ino, status.st_size, status.st_mtime_ns
