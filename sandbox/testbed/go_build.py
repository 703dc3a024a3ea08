"""Builds programs from their Go modules, once per checkout, with a lock and progress messages.

Programs can be built at the same time: one downloads its modules while another is compiled. Compilations run one after
the other, because one uses all cores, and the next finds the packages that both need in Go's cache.
"""

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.testbed import console, go_toolchain
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CACHE, ENGINES

REPORT_SECONDS = 15.0
CLOUD_CLIENTS = (
    *("cloud.google.com/...", "github.com/Azure/...", "github.com/aws/...", "github.com/envoyproxy/..."),
    *("google.golang.org/api/...", "google.golang.org/genproto/..."),
)
"""A quarter of the code, which hardly runs here. Without inlining, it takes about half the time to compile; other code would run slower."""


def build_once(program: str, executable: Path, minimum: tuple[int, int], make: Callable[["GoBuild"], None]) -> None:
    """Build ``executable`` with ``make`` if it doesn't exist. A failed build leaves no executable.

    Args:
        program: a description of the program, such as ``the Pulumi engine v3.259.0``.
        executable: the path of the result; ``make`` writes to ``GoBuild.draft``.
        minimum: the oldest Go version that can build it.
        make: runs the steps of the build.

    Raises:
        SandboxError: Go is missing or too old, or a step failed.
    """
    with _lock(executable.name, f"Waiting for another run, which builds {program}"):
        if executable.exists():
            return
        go = go_toolchain.find(program, minimum, _environment())
        console.step(f"Building {program} from its Go module (once, a few minutes on two cores)")
        executable.parent.mkdir(parents=True, exist_ok=True)
        build = GoBuild(program, go, executable.with_name(f".{executable.name}.{os.getpid()}"))
        try:
            make(build)
            build.draft.replace(executable)
        finally:
            build.draft.unlink(missing_ok=True)
        build.note(f"built in {console.elapsed(time.monotonic() - build.started)}")


class GoBuild:
    """A build in progress.

    Attributes:
        draft: the temporary path of the executable, which is renamed after the build.
        started: the start of the build, in monotonic time.
    """

    def __init__(self, program: str, go: Path, draft: Path) -> None:
        self.program, self.draft, self.started = program, draft, time.monotonic()
        self._go = go

    def note(self, message: str) -> None:
        """Print a detail with the program's name, because two builds can run at the same time."""
        console.note(f"{self.program}: {message}")

    def compile(self, package: str, directory: Path, linker_flags: str = "") -> None:
        """Download the modules of ``package`` and compile it to ``draft``. Another compilation ends first."""
        self.note("fetching its modules")
        packages = len(self.run(["list", "-deps", package], directory))
        flags = [
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-gcflags=all=-dwarf=false",  # the linker's -w drops debug information anyway
            *(f"-gcflags={packages}=-dwarf=false -l" for packages in CLOUD_CLIENTS),
            "-ldflags",
            f"-s -w {linker_flags}".strip(),
            "-o",
            str(self.draft),
        ]
        with _lock("compile", f"{self.program} is compiled next"):
            self.note("compiling")
            self.run(["build", *flags, package], directory, packages=packages)

    def compile_module(
        self, module: str, requirements: Path, linker_flags: str = "", change: Callable[[Path], None] | None = None
    ) -> None:
        """Compile the program in the root of ``module``, in the version and with the hash of ``requirements``' go.mod and go.sum.

        The module is copied, because Go applies the ``replace`` lines of a main module only. ``change`` can change the copy.
        """
        sources = self.draft.with_name(f"{self.draft.name}-sources")
        try:
            self.note("fetching its sources")
            shutil.copytree(module_directory(module, requirements), sources)
            if change:
                change(sources)
            self.compile(".", sources, linker_flags)
        finally:
            shutil.rmtree(sources, ignore_errors=True)

    def run(self, arguments: list[str], directory: Path, *, packages: int | None = None) -> list[str]:
        """Run ``go`` in ``directory`` and return its output's lines. The progress shows ``packages`` as the total."""
        lines: list[str] = []
        last_report = time.monotonic()
        command = [str(self._go), *arguments]
        with subprocess.Popen(
            command, cwd=directory, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child:
            assert child.stdout is not None  # noqa: S101 - follows from stdout=PIPE
            for line in child.stdout:
                lines.append(line.rstrip())
                if time.monotonic() - last_report >= REPORT_SECONDS:
                    last_report = time.monotonic()
                    doing = f"compiled {len(lines)} of about {packages} packages" if packages else line.strip()
                    self.note(f"{doing}, {console.elapsed(last_report - self.started)} so far")
        if child.returncode != 0:
            tail = "\n".join(lines[-20:])
            raise SandboxError(
                f"Building {self.program} failed (go {arguments[0]}, exit code {child.returncode}):\n{tail}\n"
                "Go modules are downloaded from GOPROXY. Check the network, then try again; compiled packages are cached"
            )
        return lines


def required(module: str, requirements: Path) -> str:
    """The version of ``module``, such as ``v0.47.1``, that the go.mod in the folder ``requirements`` requires."""
    file = requirements / "go.mod"
    found = re.search(rf"^(?:require)?\s+{re.escape(module)} (v\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SandboxError(f"{file} does not require {module}; restore it from version control")
    return found[1]


def module_directory(module: str, requirements: Path) -> Path:
    """The sources of ``module`` in Go's cache, in the version of ``requirements``; they are downloaded if they aren't there."""
    query = f"{module}@{required(module, requirements)}"
    found = CACHE / "go-modules" / query
    if not found.is_dir():
        go = go_toolchain.find(module, (1, 21), _environment())
        GoBuild(f"the sources of {module}", go, found).run(["mod", "download", query], requirements)
    return found


def _environment() -> dict[str, str]:
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    own = {
        # Go writes telemetry into the configuration folder, so it gets a separate one. GOENV keeps the user's settings.
        "XDG_CONFIG_HOME": str(CACHE / "go-configuration"),
        "GOENV": os.environ.get("GOENV") or str(configuration / "go" / "env"),
        "GOMODCACHE": str(CACHE / "go-modules"),
        "GOCACHE": str(CACHE / "go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        # For the compiler and the linker. By default, they spend a tenth of their time on garbage collection.
        "GOGC": os.environ.get("GOGC") or "400",
    }
    others = {key: value for key, value in os.environ.items() if key != "GOROOT"}  # of another toolchain
    return {**others, **own}


@contextmanager
def _lock(name: str, waiting: str) -> Iterator[None]:
    """Hold the lock ``name``; print ``waiting`` if another process or thread holds it."""
    ENGINES.mkdir(parents=True, exist_ok=True)
    with (ENGINES / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.step(waiting)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
