"""A real host of repositories on loopback, which the deployed server reaches under its name through the proxy."""

from pathlib import Path
from typing import Any

from sandbox.testbed.files import read_json, write_json

_FILE = "other-host.json"
_END = "-----END CERTIFICATE-----\n"


def write(directory: Path, name: str, port: int, bundle: Path, token: str) -> None:
    """Let the proxy of ``directory`` connect ``name`` to ``port``, and its clients trust the first certificate of ``bundle``.

    ``token`` is the value for the empty secret of the server's user.
    """
    content = {"destination": f"{name}:443", "port": port, "bundle": str(bundle), "token": token}
    write_json(directory / _FILE, content)


def port(directory: Path, destination: str) -> int | None:
    """The loopback port of ``destination``; None for any other destination."""
    known = _known(directory)
    return known["port"] if known.get("destination") == destination else None


def authority(directory: Path) -> str:
    """The authority that clients trust too; empty without such a host."""
    known = _known(directory)
    return Path(known["bundle"]).read_text(encoding="utf-8").partition(_END)[0] + _END if known else ""


def token(directory: Path) -> str:
    """The token of the server's user; empty without such a host."""
    return _known(directory).get("token", "")


def _known(directory: Path) -> dict[str, Any]:
    return read_json(directory / _FILE) or {}
