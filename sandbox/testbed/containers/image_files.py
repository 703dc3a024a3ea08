"""A container's file system, as bwrap's options: the machine's programs read-only, and the image's files at their paths.

The machine's /usr replaces the image's. Nothing else of the machine is visible but what its programs need from /etc, and
the directories that are named here. Directories below /usr that get files of the image are made again from their entries.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HOME = "/home/atlantis"
"""The home directory of the image's user."""

_USR = Path("/usr")
_ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# The dynamic linker, names and time zones. A machine's own accounts, keys and git configuration stay outside.
_ETC = (
    "alternatives", "gai.conf", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "nsswitch.conf", "os-release", "protocols", "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip
_TMP = "/tmp"  # noqa: S108 - a path of the container


@dataclass(frozen=True)
class Bind:
    """A directory or file of the machine, and its path in the container."""

    source: Path
    target: str
    read_only: bool = True

    def options(self) -> list[str]:
        """bwrap's options."""
        return ["--ro-bind" if self.read_only else "--bind", str(self.source), self.target]


def file_system(files: Mapping[str, Path], mounts: Iterable[Bind], *, read_only_root: bool, layer: Path) -> list[str]:
    """bwrap's options for a container with the image's ``files`` (by path) and ``mounts``, in this order.

    ``layer`` is the container's writable layer. It has the directories ``home`` and ``tmp``, and isn't used if
    ``read_only_root``.
    """
    mounts = sorted(mounts, key=lambda bind: bind.target)
    opened, closed = _opened([*files, *(bind.target for bind in mounts)])
    binds = [Bind(source, target) for target, source in sorted(files.items())]
    if not read_only_root:
        binds += [Bind(layer / "home", HOME, read_only=False), Bind(layer / "tmp", _TMP, read_only=False)]
    binds += mounts
    options = [*_parents(_etc()), *_machine(), *opened]
    options += ["--perms", "0700", "--dir", "/root", "--dir", "/run", *_parents([HOME]), "--dir", HOME]
    options += ["--perms", "1777", "--dir", _TMP, "--perms", "1777", "--dir", f"/var{_TMP}"]
    for bind in binds:
        # bwrap would create these directories, but closed to other users.
        options += [*_parents([bind.target]), *bind.options()]
    # `unshare` mounts it, because only then it shows the container's processes alone.
    options += ["--dir", "/proc", "--dev", "/dev", *closed]
    return [*options, "--remount-ro", "/"] if read_only_root else options


def _etc() -> list[str]:
    return [path for name in _ETC if Path(path := f"/etc/{name}").exists()]


def _parents(paths: Iterable[str]) -> list[str]:
    parents = {parent for path in paths for parent in PurePosixPath(path).parents if parent != PurePosixPath("/")}
    return [option for parent in sorted(parents) for option in ("--dir", str(parent))]


def _machine() -> list[str]:
    options = ["--ro-bind", str(_USR), str(_USR)]
    for name in _ROOT_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    for path in _etc():
        options += ["--ro-bind", path, path]
    return options


def _opened(targets: Iterable[str]) -> tuple[list[str], list[str]]:
    """Options that let ``targets`` be mounted below /usr: before they are mounted, and after.

    bwrap can't create a mount point in a read-only directory. The directory becomes an empty one with every entry of the
    machine's.
    """
    wanted = {Path(target) for target in targets}
    directories = sorted(
        {
            next(parent for parent in path.parents if parent.is_dir())
            for path in wanted
            if path.is_relative_to(_USR) and (path.is_symlink() or not path.exists())
        }
    )
    before: list[str] = []
    for directory in directories:
        before += ["--tmpfs", str(directory)]
        for entry in sorted(directory.iterdir()):
            if entry in wanted:
                continue
            if entry.is_symlink():
                before += ["--symlink", str(entry.readlink()), str(entry)]
            elif stat.S_IFMT(os.lstat(entry).st_mode) in {stat.S_IFREG, stat.S_IFDIR}:
                before += ["--ro-bind", str(entry), str(entry)]
    return before, [option for directory in directories for option in ("--remount-ro", str(directory))]
