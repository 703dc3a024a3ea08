"""The Pulumi engine: the one on PATH as it is, or one built from its Go module.

No package registry has the CLI prebuilt, so a machine without it compiles it once into ``.sandbox/engine``.
The Python language host is in no Go module; a built engine gets ``sandbox.language_host`` as its neighbour.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import console, plugins
from sandbox.errors import SandboxError
from sandbox.paths import CACHE, CHECKOUT, ENGINES

__all__ = ["Engine", "locate"]

MODULE = CHECKOUT / "sandbox" / "pulumi-engine"
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
REPORT_SECONDS = 15.0


@dataclass(frozen=True)
class Engine:
    """A usable ``pulumi`` executable and a sentence on where it comes from."""

    executable: Path
    origin: str


def locate() -> Engine:
    """The engine to use; builds it, with progress, where there is none yet."""
    installed = shutil.which("pulumi")
    if installed and shutil.which("pulumi-language-python"):
        return Engine(Path(installed), f"the pulumi on PATH ({installed})")
    version = _module_version()
    executable = ENGINES / version / "pulumi"
    if not executable.exists():
        _build(executable, version)
    plugins.write_wrapper(
        executable.with_name("pulumi-language-python"),
        [sys.executable, "-m", "sandbox.plugin_process", "sandbox.language_host"],
    )
    return Engine(executable, f"pulumi {version}, built from its Go module")


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
    environment = _go_environment()
    _require_go(environment)
    with _build_lock():
        if executable.exists():
            return
        console.step(f"Building the Pulumi engine {version} from its Go module: once, some minutes on two cores")
        executable.parent.mkdir(parents=True, exist_ok=True)
        draft = executable.with_name(f".pulumi.{os.getpid()}")
        started = time.monotonic()
        try:
            console.note("fetching its modules")
            total = len(_go(["list", "-deps", COMMAND], environment, started, total=None))
            flags = f"-s -w -X {VERSION_VARIABLE}={version}"
            build = ["build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(draft), COMMAND]
            _go(build, environment, started, total=total)
            draft.replace(executable)
        finally:
            draft.unlink(missing_ok=True)
        console.note(f"built in {console.elapsed(time.monotonic() - started)}")


def _go_environment() -> dict[str, str]:
    own = {
        "GOMODCACHE": str(CACHE / "go-modules"),
        "GOCACHE": str(CACHE / "go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    return {**os.environ, **own}


def _require_go(environment: dict[str, str]) -> None:
    wanted = _go_wanted()
    needed = f"{wanted[0]}.{wanted[1]}"
    ways_out = (
        "Two ways out:\n"
        "  1. install the Pulumi CLI, which comes with its Python language host: https://www.pulumi.com/docs/install/\n"
        f"  2. install Go {needed} or newer, and the engine is built from its Go module: https://go.dev/dl/"
    )
    if shutil.which("go") is None:
        raise SandboxError(f"There is no Pulumi engine: neither `pulumi` nor `go` is on PATH.\n{ways_out}")
    answer = subprocess.run(["go", "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if found is None or (int(found[1]), int(found[2])) < wanted:
        version = answer.stdout.strip() or "unknown"
        raise SandboxError(f"There is no `pulumi` on PATH, and Go is {version}: building needs {needed}.\n{ways_out}")


@contextmanager
def _build_lock() -> Iterator[None]:
    ENGINES.mkdir(parents=True, exist_ok=True)
    with (ENGINES / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.step("Waiting for another run that is building the Pulumi engine")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _go(arguments: list[str], environment: dict[str, str], started: float, *, total: int | None) -> list[str]:
    """Run ``go`` in the engine's module; its output lines. ``total``: packages to compile, for the progress."""
    lines: list[str] = []
    last_report = time.monotonic()
    with subprocess.Popen(
        ["go", *arguments], cwd=MODULE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None  # noqa: S101 - follows from stdout=PIPE
        for line in child.stdout:
            lines.append(line.rstrip())
            if time.monotonic() - last_report >= REPORT_SECONDS:
                last_report = time.monotonic()
                doing = f"compiled {len(lines)} of about {total} packages" if total else f"{line.strip()}"
                console.note(f"{doing}, {console.elapsed(last_report - started)} so far")
    if child.returncode != 0:
        tail = "\n".join(lines[-20:])
        raise SandboxError(
            f"Building the Pulumi engine failed (go {arguments[0]}, exit code {child.returncode}):\n{tail}\n"
            f"The Go modules come from GOPROXY; check the network, or install the Pulumi CLI instead: "
            f"https://www.pulumi.com/docs/install/"
        )
    return lines
