"""The Atlantis server, built from its Go module with one line changed: it listens on loopback.

Atlantis has no setting for its address and serves on every interface. In a container that is the task's own network;
on this machine it would be the whole neighbourhood, so the sources are copied out of the module cache, that line is
changed, and the copy is built, with the dependencies that its own ``go.sum`` pins.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from sandbox import console
from sandbox.errors import SandboxError
from sandbox.paths import CACHE, CHECKOUT, ENGINES

__all__ = ["executable", "listen_on_loopback"]

_MODULE = "github.com/runatlantis/atlantis"
_SOURCES = CHECKOUT / "sandbox" / "atlantis"
_PATCHED_FILE = "server/server.go"
_EVERY_INTERFACE = 'Addr: fmt.Sprintf(":%d", s.Port)'
_LOOPBACK = 'Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)'


def executable() -> Path:
    """The server's executable in the pinned version; builds it where there is none yet."""
    version = _version()
    built = ENGINES / f"atlantis-{version}"
    if built.is_file():
        return built
    if shutil.which("go") is None:
        raise SandboxError(
            "The Atlantis server is built from its Go module, and there is no `go` on PATH; install Go 1.26+"
        )
    console.step(f"Building Atlantis {version} from its Go module: once, about two minutes on two cores")
    started = time.monotonic()
    ENGINES.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "GOMODCACHE": str(CACHE / "go-modules"),
        "GOCACHE": str(CACHE / "go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    draft = built.with_name(f".atlantis-{os.getpid()}")
    sources = built.with_name(f".atlantis-sources-{os.getpid()}")
    try:
        console.note("fetching its sources")
        module = json.loads(_go(["mod", "download", "-json", f"{_MODULE}@{version}"], _SOURCES, environment))
        shutil.copytree(module["Dir"], sources)
        listen_on_loopback(sources / _PATCHED_FILE)
        console.note("fetching what it depends on, and compiling")
        flags = f"-s -w -X main.version={version.removeprefix('v')}"
        _go(["build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(draft), "."], sources, environment)
        draft.replace(built)
    finally:
        draft.unlink(missing_ok=True)
        shutil.rmtree(sources, ignore_errors=True)
    console.note(f"built in {console.elapsed(time.monotonic() - started)}")
    return built


def _version() -> str:
    found = re.search(
        rf"^(?:require)?\s+{re.escape(_MODULE)} (v\S+)", (_SOURCES / "go.mod").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise SandboxError(f"{_SOURCES / 'go.mod'} does not require {_MODULE}; restore it from version control")
    return found[1]


def listen_on_loopback(source: Path) -> None:
    """Change the one line of ``server/server.go`` that opens the port; raises ``SandboxError`` where it isn't there."""
    text = source.read_text(encoding="utf-8")
    if text.count(_EVERY_INTERFACE) != 1:
        raise SandboxError(f"{_PATCHED_FILE} of this Atlantis version listens differently; mend {__name__} for it")
    source.chmod(0o600)
    source.write_text(text.replace(_EVERY_INTERFACE, _LOOPBACK), encoding="utf-8")


def _go(arguments: list[str], directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stderr.splitlines()[-15:])
        raise SandboxError(f"Building Atlantis failed (go {arguments[0]}, exit code {done.returncode}):\n{tail}")
    return done.stdout
