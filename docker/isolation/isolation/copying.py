"""An executor's copy of a checkout: brought up to date with what the shim sends, and the files that go back.

Both run as the checkout's own user, in a process of their own: a link that a command has left there leads only to where
the command could go itself.
"""

import io
import os
import secrets
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from isolation import protocol
from isolation.checkout import LARGEST_FILE, CheckoutError, open_beneath
from isolation.protocol import Channel, ProtocolError

__all__ = ["receive", "send_file"]


class _Stream(io.RawIOBase):
    """The tar that comes in messages."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._rest, self._ended = channel, b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest and not self._ended:
            message = self._channel.receive()
            if message is None or message[0] not in {protocol.TREE, protocol.END}:
                raise ProtocolError("the shim ended before it had sent the whole checkout")
            self._ended = message[0] == protocol.END
            self._rest = message[1]
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)

    def drain(self) -> None:
        """Read what follows the tar's end, up to the last message."""
        while not self._ended:
            self.read(1 << 16)


def receive(channel: Channel, root: Path, *, kept: Callable[[str], bool], alone: bool) -> None:
    """Make the tree below `root` what the shim sends.

    If `alone`, what it doesn't send is removed, but `kept` (by path). Otherwise another command of the checkout runs,
    and may need it.
    """
    os.umask(0o077)
    stream = _Stream(channel)
    sent: set[str] = set()
    with tarfile.open(fileobj=cast("IO[bytes]", io.BufferedReader(stream, 1 << 18)), mode="r|") as archive:
        for member in archive:
            path = member.name
            if path.startswith("/") or ".." in path.split("/"):
                raise ProtocolError(f"the path {path!r} leaves the checkout")
            sent.add(path)
            _put(archive, member, root / path)
    stream.drain()
    if alone:
        _remove_others(root, "", sent, kept)


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    there = _lstat(target)
    if member.isdir():
        if there and not stat.S_ISDIR(there.st_mode):
            target.unlink()
            there = None
        if not there:
            target.mkdir(mode=0o755)
        elif there.st_mode & 0o700 != 0o700:
            target.chmod(0o755)
        return
    if there and stat.S_ISDIR(there.st_mode):
        shutil.rmtree(target)
    temporary = target.with_name(f".{secrets.token_hex(8)}.isolation")
    if member.issym():
        temporary.symlink_to(member.linkname)
    elif member.isfile():
        source = archive.extractfile(member)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o777), "wb") as file:  # noqa: PTH123
            shutil.copyfileobj(cast("IO[bytes]", source), file, 1 << 18)
        os.utime(temporary, (member.mtime, member.mtime))
    else:
        raise ProtocolError(f"{member.name} is neither a file, a directory nor a link")
    temporary.rename(target)


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
