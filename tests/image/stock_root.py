"""A stand-in for the stock image's root, made of programs of this machine: the image itself comes from a registry.

It has what `docker/Dockerfile` and the programs of `docker/isolation` expect of the stock image: a shell, `env -S`, the users, the server's
binary. `apk` only checks that this machine has what it should install.
"""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

NEEDED = ("buildah", "bwrap", "stunnel", "terraform")
_PROGRAMS = (
    *(
        "cat",
        "chmod",
        "chown",
        "cp",
        "env",
        "id",
        "ln",
        "ls",
        "mkdir",
        "mkfifo",
        "od",
        "readlink",
        "rm",
        "sed",
        "sh",
        "sleep",
        "tr",
    ),
    *("stunnel", "terraform"),
)
_APK = """#!/bin/sh
[ "$1 $2" = "add --no-cache" ] || { echo "apk: unexpected: $*" >&2; exit 1; }
shift 2
for package in "$@"; do
  command -v "${package%%~*}" >/dev/null || { echo "apk: no ${package%%~*} here" >&2; exit 1; }
done
"""


def make(root: Path, server: Path) -> None:
    """Fill `root`; `server` is the server's binary."""
    for folder in ("usr/bin", "usr/lib", "usr/lib64", "usr/local/bin", "etc", "tmp", "proc", "dev", "run", "var/tmp"):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc" / "passwd").write_text(
        "root:x:0:0::/root:/bin/sh\natlantis:x:100:1000::/home/atlantis:/sbin/nologin\n"
    )
    (root / "etc" / "group").write_text("root:x:0:\natlantis:x:1000:\n")
    (root / "home" / "atlantis").mkdir(parents=True)
    programs = [Path(found) for name in _PROGRAMS if (found := shutil.which(name, path="/usr/local/bin:/usr/bin:/bin"))]
    python = Path("/usr/bin/python3").resolve()
    for program in (*programs, python):
        shutil.copy(program.resolve(), root / "usr" / "bin" / program.name)
    (root / "usr" / "bin" / "python3").symlink_to(python.name)
    library = Path(f"/usr/lib/{python.name}")
    ignored = shutil.ignore_patterns(
        "__pycache__", "test", "idlelib", "lib2to3", "ensurepip", "config-*", "dist-packages"
    )
    shutil.copytree(library, root / "usr" / "lib" / python.name, ignore=ignored, ignore_dangling_symlinks=True)
    for file in _libraries([*programs, python, *library.glob("lib-dynload/*.so"), server]):
        target = root / str(file).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.resolve(), target)
    shutil.copy(server, root / "usr" / "local" / "bin" / "atlantis")
    (root / "usr" / "local" / "bin" / "terraform1.11.4").symlink_to("/usr/bin/terraform")
    (root / "usr" / "bin" / "apk").write_text(_APK)
    (root / "usr" / "bin" / "apk").chmod(0o755)


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """What the loader loads for these programs."""
    found: set[Path] = set()
    for program in programs:
        printed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        found |= {Path(word) for line in printed.splitlines() for word in line.split() if word.startswith("/")}
    # glibc loads it when a thread ends.
    found |= set(Path("/lib").glob("*-linux-gnu/libgcc_s.so.1"))
    return {path for path in found if path.exists()}
