"""The Pulumi engine: the installed one on PATH, or a release, or one built from its Go module.

If none is installed, the sandbox downloads the pinned release or, where it can't, builds it once, into ``.sandbox/engine``. For a
program in YAML, it also builds the language host. Python's isn't available as a Go module: the sandbox writes a
``pulumi-language-python`` next to this engine, which runs ``sandbox.testbed.engine.language_server``.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.testbed.engine import plugins
from sandbox.testbed.engine.download import download
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.go_build import GoBuild, build_once
from sandbox.testbed.paths import CACHE, CHECKOUT, ENGINES

CHOICE = "ATLANTIS_SANDBOX_ENGINE"
"""Environment variable: ``installed`` or ``pinned``. If unset, the installed engine is used, if there is one."""

MODULE = CHECKOUT / "sandbox" / "testbed" / "engine"
ENGINE = "github.com/pulumi/pulumi/pkg/v3"
YAML = "github.com/pulumi/pulumi-yaml"
_INSTALL = "install the Pulumi CLI: https://www.pulumi.com/docs/install/"


@dataclass(frozen=True)
class Engine:
    """A ``pulumi`` executable, and a description of its origin.

    ``language_host`` is the installed ``pulumi-language-python``. A built engine uses the sandbox's own, and has None.
    """

    executable: Path
    origin: str
    language_host: Path | None


def locate() -> Engine:
    """The engine to use. Builds it, with progress messages, if it doesn't exist yet.

    Raises:
        SandboxError: the installed engine is too old, or is required and missing, or the build failed.
    """
    choice = _choice()
    installed, python = _installed()
    if choice != "pinned" and installed and python:
        version = _require_version(installed)
        return Engine(Path(installed), f"pulumi {version}, installed ({installed})", Path(python))
    if choice == "installed":
        missing = "pulumi-language-python" if installed else "pulumi"
        raise SandboxError(f"{CHOICE}=installed, and there is no {missing} on PATH; {_INSTALL}, or unset the variable")
    executable = _built()
    plugins.write_wrapper(
        executable.with_name("pulumi-language-python"),
        [sys.executable, "-m", "sandbox.testbed.engine.plugin_process", "sandbox.testbed.engine.language_server"],
    )
    return Engine(executable, f"pulumi {executable.parent.name}, of this checkout", None)


def build() -> None:
    """Build the engine if `locate` will need it. Needs no package of the environment, unlike `locate`.

    Raises:
        SandboxError: the choice of the engine is invalid, or the build failed.
    """
    choice = _choice()
    if choice == "pinned" or (choice == "" and not all(_installed())):
        _built()


def _choice() -> str:
    choice = os.environ.get(CHOICE, "")
    if choice not in ("", "installed", "pinned"):
        raise SandboxError(f"{CHOICE}={choice}: set it to installed or pinned, or unset it")
    return choice


def _installed() -> tuple[str | None, str | None]:
    """The CLI and its language host for Python on PATH."""
    return shutil.which("pulumi"), shutil.which("pulumi-language-python")


def _built() -> Path:
    version = _module_version(ENGINE)
    executable = ENGINES / version / "pulumi"
    if not executable.exists() and not download(version, executable):
        variable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
        _build(f"Pulumi engine {version}", executable, f"{ENGINE}/cmd/pulumi", f"{variable}={version}")
    return executable


def language_host(language: str) -> Path:
    """The installed language host of ``language``, for languages other than Python. YAML's is built if needed.

    Raises:
        SandboxError: the language host isn't on PATH, or the build failed.
    """
    installed = shutil.which(f"pulumi-language-{language}")
    if language == "yaml" and (installed is None or os.environ.get(CHOICE) == "pinned"):
        version = _module_version(YAML)
        executable = ENGINES / f"yaml-{version}" / "pulumi-language-yaml"
        if not executable.exists():
            command = f"{YAML}/cmd/pulumi-language-yaml"
            _build(
                f"Pulumi language host for YAML {version}", executable, command, f"{YAML}/pkg/version.Version={version}"
            )
        return executable
    if installed is None:
        raise SandboxError(
            f"The program's runtime is {language}, and there is no pulumi-language-{language} on PATH; the sandbox itself "
            "has language hosts for Python and YAML only. Fix: install the Pulumi CLI, which comes with the others"
        )
    return Path(installed)


def typescript_sdk() -> Path:
    """The program that writes a package's SDK in TypeScript from its schema, as `pulumi package add` does. Built if needed."""
    executable = ENGINES / f"typescript-{_module_version(ENGINE)}" / "typescript_sdk"
    if not executable.exists():
        _build("generator of TypeScript SDKs", executable, "./typescript_sdk", "")
    return executable


def _require_version(installed: str) -> str:
    """The version of the ``installed`` CLI; raises ``SandboxError`` if Pulumi.yaml requires a newer one."""
    # The CLI logs each command in its home folder, so it gets a separate one instead of the user's.
    environment = {**os.environ, "PULUMI_HOME": str(CACHE / "pulumi-home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    answer = subprocess.run([installed, "version"], env=environment, capture_output=True, text=True, check=False)
    version = answer.stdout.strip() or "of an unknown version"
    required = _match(r"^requiredPulumiVersion: .*>=\s*(\d+\.\d+)", CHECKOUT / "Pulumi.yaml")
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None or (int(found[1]), int(found[2])) < _numbers(required):
        raise SandboxError(
            f"The pulumi on PATH ({installed}) is {version}, and {required} or newer is required. Fix: upgrade it "
            f"(https://www.pulumi.com/docs/install/), or set {CHOICE}=pinned: the sandbox then builds {_module_version(ENGINE)}"
        )
    return version


def _module_version(module: str) -> str:
    """The version of ``module`` that ``go.mod`` pins, such as ``v3.259.0``."""
    return _match(rf"{re.escape(module)} (v\S+)")


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def _match(pattern: str, file: Path = MODULE / "go.mod") -> str:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SandboxError(f"{file} has no line that matches {pattern!r}; restore it from version control")
    return found[1]


def _build(program: str, executable: Path, command: str, version: str) -> None:
    def make(build: GoBuild) -> None:
        build.compile(command, MODULE, f"-X {version}" if version else "")

    try:
        build_once(f"the {program}", executable, _numbers(_match(r"^go (\d+\.\d+)")), make)
    except SandboxError as error:
        raise SandboxError(f"There is no {program} yet. {error}\nOr {_INSTALL}, which is used then") from None
