"""Builds the Atlantis server from its Go module, with one line changed so that it listens on loopback.

Atlantis has no setting for its listen address and listens on every interface. In a container, only the task's network
interface is affected; on this machine, the server would be exposed to the local network. The sources are therefore
copied from the module cache, that line is changed, and the copy is built with the dependencies that its ``go.sum``
pins.
"""

from pathlib import Path

from sandbox.testbed.errors import SandboxError
from sandbox.testbed.go_build import build_once, module_directory, required
from sandbox.testbed.paths import CHECKOUT, ENGINES

_MODULE = "github.com/runatlantis/atlantis"
_SOURCES = CHECKOUT / "sandbox" / "atlantis"
_GO = (1, 26)
_PATCHED_FILE = "server/server.go"
_EVERY_INTERFACE = 'Addr: fmt.Sprintf(":%d", s.Port)'
_LOOPBACK = 'Addr: fmt.Sprintf("127.0.0.1:%d", s.Port)'


def executable() -> Path:
    """Return the executable of the pinned version, which is built if it doesn't exist yet."""
    pinned = version()
    built = ENGINES / f"atlantis-{pinned}"
    if built.is_file():
        return built
    build_once(
        f"Atlantis {pinned}",
        built,
        _GO,
        lambda build: build.compile_module(
            _MODULE,
            _SOURCES,
            f"-X main.version={pinned.removeprefix('v')}",
            lambda sources: listen_on_loopback(sources / _PATCHED_FILE),
        ),
    )
    return built


def sources() -> Path:
    """The sources of the pinned version."""
    return module_directory(_MODULE, _SOURCES)


def version() -> str:
    """The pinned version, such as ``v0.47.1``: the one that ``sandbox/atlantis/go.mod`` requires."""
    return required(_MODULE, _SOURCES)


def listen_on_loopback(source: Path) -> None:
    """Change the listen address in ``server/server.go``; raises ``SandboxError`` unless the line occurs once."""
    text = source.read_text(encoding="utf-8")
    if text.count(_EVERY_INTERFACE) != 1:
        raise SandboxError(f"{_PATCHED_FILE} of this Atlantis version listens differently; change {__name__} for it")
    source.chmod(0o600)
    source.write_text(text.replace(_EVERY_INTERFACE, _LOOPBACK), encoding="utf-8")
