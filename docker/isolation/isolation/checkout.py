"""A checkout of the server: where a command runs, and files in it that are read and written without following a link."""

import os
import posixpath
import re
import stat
from pathlib import Path
from typing import NamedTuple

LARGEST_FILE = 256 << 20
"""Bytes. What a command gives back is limited, because the server's disk is shared by all pull requests."""

# Owner, repository, pull request (negative in drift detection) and workspace, as Atlantis names its directories.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+/-?[0-9]+/[^/\x00-\x1f]+")
_PARTS = 4


class CheckoutError(Exception):
    """A command can't run here, or a path isn't a plain file of the checkout; the message says what to do."""


class Checkout(NamedTuple):
    """`name` is owner/repository/pull/workspace; `root` is its directory, `directory` the current one relative to it."""

    name: str
    root: Path
    directory: str

    @property
    def repository(self) -> str:
        """Owner and name."""
        return "/".join(self.name.split("/")[:2])

    @property
    def pull(self) -> str:
        """The number of the pull request."""
        return self.name.split("/")[2]

    @property
    def workspace(self) -> str:
        """Terraform's workspace."""
        return self.name.split("/")[3]

    def relative(self, path: str) -> str:
        """The path of a file, given relative to the current directory or absolute, relative to the checkout's root."""
        joined = os.path.normpath(self.root / self.directory / path)
        relative = os.path.relpath(joined, self.root)
        if relative == "." or relative.startswith(".."):
            raise CheckoutError(f"{path} is outside of the checkout {self.root}: name a file inside of it")
        return relative


def valid_name(name: str) -> bool:
    """Whether `name` can be a checkout's: four plain components."""
    return bool(_NAME.fullmatch(name)) and not {".", ".."} & set(name.split("/"))


def locate(repositories: Path, directory: str | None = None) -> Checkout:
    """The checkout that `directory` (by default the current one) is in; raises `CheckoutError` outside of all."""
    repositories = repositories.resolve()
    current = Path(directory or Path.cwd()).resolve()
    parts = current.relative_to(repositories).parts if current.is_relative_to(repositories) else ()
    name = "/".join(parts[:_PARTS])
    if len(parts) < _PARTS or not valid_name(name):
        raise CheckoutError(
            f"{current} isn't in a checkout of Atlantis, {repositories}/<owner>/<repository>/<pull>/<workspace>"
        )
    return Checkout(name, repositories.joinpath(*parts[:_PARTS]), "/".join(parts[_PARTS:]) or ".")


def open_beneath(root: Path, relative: str, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the regular file `relative` below `root`; no component of its path may be a link."""
    folder = _walk(root, posixpath.dirname(relative))
    try:
        # A named pipe would wait for its other end without O_NONBLOCK.
        opened = os.open(
            posixpath.basename(relative), flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError as problem:
        if os.path.islink(root / relative):  # noqa: PTH114
            raise CheckoutError(f"{relative} is a link: a link isn't followed; commit a file instead") from problem
        raise
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise CheckoutError(f"{relative} isn't a regular file")
    return opened


def write_beneath(root: Path, relative: str, content: bytes, *, mode: int = 0o600) -> None:
    """Replace the file `relative` below `root` at once; a link in its place is replaced, never written through."""
    folder = _walk(root, posixpath.dirname(relative))
    name, temporary = posixpath.basename(relative), f".{os.urandom(8).hex()}.isolation"
    try:
        opened = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder
        )
        try:
            with open(opened, "wb") as file:  # noqa: PTH123 a descriptor
                file.write(content)
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
    finally:
        os.close(folder)


def _walk(root: Path, relative: str) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in [part for part in relative.split("/") if part not in {"", "."}]:
        try:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError as problem:
            raise CheckoutError(f"{relative}: {part} isn't a directory, or is a link: {problem.strerror}") from problem
        finally:
            os.close(folder)
        folder = inner
    return folder
