"""Packs a checkout for an executor: everything but git's and Terraform's own directories, links as links."""

import hashlib
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from isolation.protocol import FrameWriter

__all__ = ["CONFIGURATION", "NOT_PACKED", "Packed", "pack"]

NOT_PACKED = frozenset({".git", ".terraform", ".terragrunt-cache"})
"""Names of directories (or links, or files) that aren't sent: git's configuration holds a token, the others are made."""

CONFIGURATION = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""The suffixes of the files that a plan file repeats; their hashes are kept to compare it with."""


@dataclass(frozen=True)
class Packed:
    """The configuration that was sent: the hash of each of its files, by its path in the checkout `root`."""

    root: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def hash_of(self, path: str) -> str | None:
        """The hash of a file, also if a directory on its path is a link into the checkout; None if it wasn't sent."""
        if path in self.hashes:
            return self.hashes[path]
        return self.hashes.get(os.path.relpath(os.path.realpath(self.root / path), os.path.realpath(self.root)))


def pack(root: Path, writer: FrameWriter) -> Packed:
    """Write a tar of the checkout `root`."""
    packed = Packed(root)
    with tarfile.open(
        fileobj=cast("IO[bytes]", writer), mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 18
    ) as archive:
        for path, entry in _entries(root, ""):
            if entry.is_symlink():
                member = tarfile.TarInfo(path)
                member.type, member.linkname = tarfile.SYMTYPE, os.readlink(entry.path)  # noqa: PTH115
                archive.addfile(member)
            elif entry.is_dir(follow_symlinks=False):
                member = tarfile.TarInfo(path)
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            elif entry.is_file(follow_symlinks=False):
                _add(archive, path, entry.path, packed.hashes)
    # A configuration file may be a link to another one, which Terraform loads under the link's name.
    for path, entry in _entries(root, ""):
        if entry.is_symlink() and path.endswith(CONFIGURATION) and (target := packed.hash_of(path)):
            packed.hashes[path] = target
    writer.flush()
    return packed


def _add(archive: tarfile.TarFile, path: str, source: str, hashes: dict[str, str]) -> None:
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123 a descriptor
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(path)
        member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), status.st_mode & 0o755
        if path.endswith(CONFIGURATION):
            content = file.read()
            member.size = len(content)
            hashes[path] = hashlib.sha256(content).hexdigest()
            file.seek(0)
        archive.addfile(member, file)


def _entries(folder: Path | str, relative: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name in NOT_PACKED:
            continue
        path = f"{relative}{entry.name}"
        yield path, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path, f"{path}/")
