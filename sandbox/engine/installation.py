"""The Pulumi engine: the one on PATH as it is, or one built from its Go module.

No package registry has the CLI prebuilt, so a machine without it compiles it once into ``.sandbox/engine``.
The Python language host is in no Go module; a built engine gets ``sandbox.engine.language_server`` as its neighbour.
"""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox import console
from sandbox.engine import plugins
from sandbox.errors import SandboxError
from sandbox.go_build import GoBuild, build_once
from sandbox.paths import CHECKOUT, ENGINES

__all__ = ["Engine", "locate"]

MODULE = CHECKOUT / "sandbox" / "engine"
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


@dataclass(frozen=True)
class Engine:
    """A usable ``pulumi`` executable and a sentence on where it comes from; a ``built`` one has our language host."""

    executable: Path
    origin: str
    built: bool


def locate() -> Engine:
    """The engine to use; builds it, with progress, where there is none yet."""
    installed = shutil.which("pulumi")
    if installed and shutil.which("pulumi-language-python"):
        return Engine(Path(installed), f"the pulumi on PATH ({installed})", built=False)
    version = _module_version()
    executable = ENGINES / version / "pulumi"
    if not executable.exists():
        _build(executable, version)
    plugins.write_wrapper(
        executable.with_name("pulumi-language-python"),
        [sys.executable, "-m", "sandbox.engine.plugin_process", "sandbox.engine.language_server"],
    )
    return Engine(executable, f"pulumi {version}, built from its Go module", built=True)


def _module_version() -> str:
    """The engine's version that ``go.mod`` pins, such as ``v3.259.0``."""
    return _match(rf"{re.escape('github.com/pulumi/pulumi/pkg/v3')} (v\S+)")


def _go_wanted() -> tuple[int, int]:
    major, minor = _match(r"^go (\d+\.\d+)").split(".")
    return int(major), int(minor)


def _match(pattern: str) -> str:
    found = re.search(pattern, (MODULE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SandboxError(f"{MODULE / 'go.mod'} has no line that matches {pattern!r}; restore it from version control")
    return found[1]


def _build(executable: Path, version: str) -> None:
    def make(build: GoBuild) -> None:
        console.note("fetching its modules")
        packages = len(build.run(["list", "-deps", COMMAND], MODULE))
        flags = f"-s -w -X {VERSION_VARIABLE}={version}"
        arguments = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(build.draft), COMMAND]
        build.run(arguments, MODULE, packages=packages)

    try:
        build_once(f"the Pulumi engine {version}", executable, _go_wanted(), make)
    except SandboxError as error:
        install = "Or install the Pulumi CLI, which is used then: https://www.pulumi.com/docs/install/"
        raise SandboxError(f"There is no Pulumi engine on PATH. {error}\n{install}") from None
