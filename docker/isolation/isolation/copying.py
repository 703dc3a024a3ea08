"""An executor's copy of a checkout: brought up to date with what the shim sends, and the files that go back.

Both run as the checkout's user, in a separate process: a link that a command has left there leads only to where
the command could go itself.
"""

import array
import contextlib
import io
import json
import mmap
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from isolation import packing, protocol
from isolation.checkout import LARGEST_FILE, CheckoutError, open_beneath
from isolation.protocol import Channel, ProtocolError

TICK = 0.03
"""Seconds. The clock of a file system's times goes on at least every 10 ms."""


class _Stream(io.RawIOBase):
    """The content that comes in messages of one kind, up to their end."""

    def __init__(self, channel: Channel, kind: bytes) -> None:
        self._channel, self._kind, self._rest, self._ended = channel, kind, b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest and not self._ended:
            message = self._channel.receive()
            if message is None or message[0] not in {self._kind, protocol.END}:
                raise ProtocolError("the shim ended before it had sent the whole checkout")
            self._ended = message[0] == protocol.END
            self._rest = message[1]
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def receive(
    channel: Channel, root: Path, *, kept: Callable[[str], bool], alone: bool, memory: IO[str] | None, stale: str = ""
) -> None:
    """Make the tree below `root` what the shim sends.

    If `alone`, what it doesn't send is removed, but `kept` (by path). Otherwise another command of the checkout runs,
    and may need it. `memory` is a file that no command reaches: it says which files are there unchanged since an earlier call,
    and needn't be sent again. Without it, all are sent. `stale` is a directory of which only the providers stay.
    """
    channel.keep_alive()
    os.umask(0o077)
    if stale:
        _empty(root / stale)
    entries: list[packing.Entry] = [
        (*entry,) for entry in json.load(io.BufferedReader(_Stream(channel, protocol.LIST)))
    ]
    for path, *_ in entries:
        if path.startswith("/") or ".." in path.split("/"):
            raise ProtocolError(f"the path {path!r} leaves the checkout")
    copies = _Copies(str(root), memory)
    for path, kind, *_ in entries:
        if kind == packing.DIRECTORY:
            _put_directory(root / path)
        elif kind not in {packing.FILE, packing.LINK}:
            raise ProtocolError(f"{path} is neither a file, a directory nor a link")
    wanted = [at for at, entry in enumerate(entries) if entry[1] == packing.FILE and not copies.has(entry)]
    channel.send(protocol.WANT, array.array("I", wanted).tobytes())
    channel.send(protocol.END)
    for path, kind, mark, *_ in entries:
        if kind == packing.LINK:
            _put(f"{root}/{path}", lambda place, mark=mark: Path(place).symlink_to(mark), at_once=not alone)
    content = io.BufferedReader(_Stream(channel, protocol.TREE), 1 << 18)
    for at in wanted:
        entry = entries[at]
        _put(f"{root}/{entry[0]}", lambda place, entry=entry: _write(place, entry, content), at_once=not alone)
    if content.read(1):
        raise ProtocolError("the shim has sent more than was wanted")
    if alone:
        _remove_others(root, "", {entry[0] for entry in entries}, kept)
        copies.remember(entries, set(wanted))
    channel.leave()
    channel.settle()


class _Copies:
    """What is known of the files below `root`: for each path its mark, and the copy's number and time of change.

    A command runs as the copies' owner. It can restore a file's size and its modification time, but not the time of its last change.
    """

    def __init__(self, root: str, memory: IO[str] | None) -> None:
        self._root, self._memory = root, memory
        self._known: dict[str, list[object]] = {}
        if memory:
            memory.seek(0)
            # An interrupted call may have left half of it.
            with contextlib.suppress(ValueError):
                self._known = json.loads(memory.read())

    def has(self, entry: packing.Entry) -> bool:
        """Whether the copy is there with this mark, and nothing has changed it."""
        known = self._known.get(entry[0])
        return known is not None and known == [entry[2], *self._status(entry[0])]

    def remember(self, entries: Sequence[packing.Entry], written: Collection[int]) -> None:
        """Keep what is there now; no command of the checkout may run. `written` are the positions of the files that `has` denied."""
        if not self._memory:
            return
        if written:
            # A change by the next command must have a later time.
            time.sleep(TICK)
        known = {
            path: [mark, *self._status(path)] if at in written else self._known[path]
            for at, (path, kind, mark, *_) in enumerate(entries)
            if kind == packing.FILE
        }
        if known == self._known:
            return
        self._memory.seek(0)
        self._memory.truncate()
        # Faster than `json.dump`, which writes each of its parts.
        self._memory.write(json.dumps(known))
        self._memory.flush()

    def _status(self, path: str) -> tuple[int, int]:
        try:
            status = os.lstat(f"{self._root}/{path}")
        except FileNotFoundError:
            return 0, 0
        return (status.st_ino, status.st_ctime_ns) if stat.S_ISREG(status.st_mode) else (0, 0)


def shows_changes(folder: Path) -> bool:
    """Whether the file system gives a file that is changed through a mapping another time of change; tmpfs doesn't."""
    file = folder / secrets.token_hex(8)
    try:
        file.write_bytes(bytes(mmap.PAGESIZE))
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
            mapped[0]
            before = file.stat().st_ctime_ns
            time.sleep(TICK)
            mapped[0] = 1
            return file.stat().st_ctime_ns != before
    except OSError:
        return False  # A file system without mappings, or one that can't be written, which the commands say.
    finally:
        file.unlink(missing_ok=True)


def _put_directory(target: Path) -> None:
    there = _lstat(target)
    if there and not stat.S_ISDIR(there.st_mode):
        target.unlink()
        there = None
    if not there:
        target.mkdir(mode=0o755)
    elif there.st_mode & 0o700 != 0o700:
        target.chmod(0o755)


def _put(target: str, make: Callable[[str], object], *, at_once: bool) -> None:
    """Make `target` instead of what is there; `at_once` for a command that may open it meanwhile."""
    if os.path.isdir(target) and not os.path.islink(target):  # noqa: PTH112, PTH114
        shutil.rmtree(target)
    if at_once:
        temporary = f"{os.path.dirname(target)}/.{secrets.token_hex(8)}.isolation"  # noqa: PTH120
        make(temporary)
        os.replace(temporary, target)  # noqa: PTH105
        return
    # ext4 writes a file to the disk that is renamed over another one, which takes longer than everything else.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)  # noqa: PTH108
    make(target)


def _write(place: str, entry: packing.Entry, content: BinaryIO) -> None:
    left = int.from_bytes(_exactly(content, packing.SIZE))
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry[3] & 0o777), "wb", buffering=0) as file:  # noqa: PTH123
        while left:
            part = _exactly(content, min(left, 1 << 18))
            file.write(part)
            left -= len(part)
        os.utime(file.fileno(), ns=(entry[4], entry[4]))


def _exactly(content: BinaryIO, length: int) -> bytes:
    part = content.read(length)
    if len(part) != length:
        raise ProtocolError("the shim has sent less than was wanted")
    return part


def _remove_others(root: Path, relative: str, sent: set[str], kept: Callable[[str], bool]) -> None:
    with os.scandir(root / relative) as found:
        entries = list(found)
    for entry in entries:
        path = f"{relative}{entry.name}"
        is_directory = entry.is_dir(follow_symlinks=False)
        if kept(path):
            continue
        if path in sent:
            if is_directory:
                _remove_others(root, f"{path}/", sent, kept)
        elif is_directory and _any_kept(entry.path, f"{path}/", kept):
            _remove_others(root, f"{path}/", sent, kept)
        elif is_directory:
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)  # noqa: PTH108


def _empty(folder: Path) -> None:
    """Remove what `init` has made, but the providers, which it compares with the lock file."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        for entry in found:
            if entry.name == "providers":
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)  # noqa: PTH108


def _any_kept(folder: str, relative: str, kept: Callable[[str], bool]) -> bool:
    """Whether something below `folder` is kept."""
    return any(
        kept(os.path.join(relative, os.path.relpath(os.path.join(path, name), folder)))  # noqa: PTH118
        for path, names, _ in os.walk(folder)
        for name in names
    )


def send_file(channel: Channel, root: Path, relative: str) -> None:
    """Send the regular file `relative`, if there is one; nothing on its path may be a link."""
    try:
        opened = open_beneath(root, relative)
    except FileNotFoundError:
        return
    with open(opened, "rb") as file:  # noqa: PTH123 a descriptor
        if os.fstat(file.fileno()).st_size > LARGEST_FILE:
            raise CheckoutError(f"{relative} has more than {LARGEST_FILE} bytes")
        content = file.read(LARGEST_FILE)
    channel.send_json(protocol.FILE, {"path": relative})
    channel.send(protocol.DATA, content)


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None
