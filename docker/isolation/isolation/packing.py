"""Sends a checkout to an executor: first a list of all entries, then the content of the files that the executor lacks.

Git's and Terraform's own directories aren't sent, and links are sent as links.
"""

import array
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from isolation import protocol
from isolation.checkout import CheckoutError
from isolation.protocol import Channel, FrameWriter

NOT_PACKED = frozenset({".git", ".terraform", ".terragrunt-cache"})
"""Names of directories (or links, or files) that aren't sent: git's configuration holds a token, the others are made."""

CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""The suffixes of the files that a plan file repeats; their hashes are kept to compare it with."""

DIRECTORY, FILE, LINK = "d", "f", "l"
SIZE = 8
"""Bytes of the length (big-endian) in front of a file's content."""
_CHUNK = 1 << 18

Entry = tuple[str, str, str, int, int]
"""An entry of the list: path, kind, mark, permissions, modification time in ns.

The mark of a link is its target. The mark of a file changes with its content: an executor that has a file with the same mark keeps
it. It is the hash of a configuration file, and what the file system says of any other file, because reading each of a large
repository's files from EFS for each command would take seconds."""


class Packed(NamedTuple):
    """The configuration that was sent: the hash of each of its files, by its path in the checkout `root`."""

    root: Path
    hashes: dict[str, str]

    def hash_of(self, path: str) -> str | None:
        """The hash of a file, also if a directory on its path is a link into the checkout; None if it wasn't sent."""
        if path in self.hashes:
            return self.hashes[path]
        return self.hashes.get(os.path.relpath(os.path.realpath(self.root / path), os.path.realpath(self.root)))


def send(root: Path, channel: Channel) -> Packed | None:
    """Send the checkout `root`; None if the executor has refused, and its answer is the next message."""
    packed = Packed(root, {})
    entries = [_entry(path, entry, packed.hashes) for path, entry in _found(root, "")]
    channel.send(protocol.LIST, json.dumps(entries).encode())
    channel.send(protocol.END)
    if (wanted := _wanted(channel)) is None:
        return None
    writer = FrameWriter(channel, protocol.TREE)
    for index in wanted:
        _send_content(root, entries[index][0], writer)
    writer.flush()
    channel.send(protocol.END)
    # A configuration file may be a link to another one, which Terraform loads under the link's name.
    for path, kind, *_ in entries:
        if kind == LINK and path.endswith(CONFIGURATION) and (target := packed.hash_of(path)):
            packed.hashes[path] = target
    return packed


def _entry(path: str, entry: os.DirEntry[str], hashes: dict[str, str]) -> Entry:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return path, LINK, os.readlink(entry.path), 0, 0  # noqa: PTH115
    if stat.S_ISDIR(status.st_mode):
        return path, DIRECTORY, "", 0o755, 0
    mode = status.st_mode & 0o755
    if path.endswith(CONFIGURATION):
        with _opened(entry.path) as file:
            hashes[path] = hashlib.file_digest(file, "sha256").hexdigest()
        mark = f"{hashes[path]}.{mode:o}"
    else:
        mark = f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"
    return path, FILE, mark, mode, status.st_mtime_ns


def _wanted(channel: Channel) -> Sequence[int] | None:
    content = b""
    while (message := channel.receive()) is not None:
        kind, part = message
        if kind == protocol.WANT:
            content += part
        elif kind == protocol.END:
            wanted = array.array("I")
            wanted.frombytes(content)
            return wanted
        else:
            channel.put_back(kind, part)
            return None
    return None


def _send_content(root: Path, path: str, writer: FrameWriter) -> None:
    with _opened(os.path.join(root, path)) as file:  # noqa: PTH118 pathlib takes as long as the rest
        left = os.fstat(file.fileno()).st_size
        writer.write(left.to_bytes(SIZE))
        while left:
            part = file.read(min(left, _CHUNK))
            if not part:
                raise CheckoutError(f"{path} has changed while it was sent: run the command again")
            writer.write(part)
            left -= len(part)


def _opened(path: str) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))


def _found(folder: Path | str, relative: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The directories, regular files and links below `folder`, each directory in front of what it has."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in NOT_PACKED:
            continue
        path = f"{relative}{entry.name}"
        is_directory = entry.is_dir(follow_symlinks=False)
        if is_directory or entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield path, entry
        if is_directory:
            yield from _found(entry.path, f"{path}/")
