"""Validates the server's two configuration files with Atlantis' own parsers, if its executable is on PATH.

The server parses them before it reads the key of its GitHub App. If the key file doesn't exist, the server exits
immediately, with a parser's error or with an error about the key.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from .server_configuration import VERSION, variable

_SECONDS = 20
_NO_KEY = "no-such-key.pem"


def find() -> Path | None:
    """The executable of the server's version: `atlantis-<version>`, as the sandbox builds it, or `atlantis`."""
    for name in (f"atlantis-{VERSION}", "atlantis"):
        found = shutil.which(name)
        if found and f"atlantis {VERSION.removeprefix('v')} " in _run([found, "version"], {}):
            return Path(found)
    return None


def refusal(executable: Path, path: str) -> str | None:
    """The reason for which Atlantis rejects the server-side repository configuration `path`; None if Atlantis accepts it.

    Raises:
        RuntimeError: the server reported neither error.
    """
    return _refusal(executable, path, "repo-config", r"parsing \S+ file: (?P<reason>.*)", {})


def flags_refusal(executable: Path, path: str, secrets: Collection[str]) -> str | None:
    """The reason for which Atlantis rejects the flags in the file `path`; None if Atlantis accepts them. It doesn't read `webhooks`.

    Args:
        executable: the server's executable.
        path: the file.
        secrets: the flags whose values the file doesn't have, because they are secret.

    Raises:
        RuntimeError: the server reported neither error.
    """
    # Each is valid where a flag is a document in JSON, too.
    placeholders = {variable(flag): "{}" for flag in secrets}
    return _refusal(executable, path, "config", r"Error: (?!initializing server)(?P<reason>.*)", placeholders)


def _refusal(executable: Path, path: str, flag: str, error: str, environment: Mapping[str, str]) -> str | None:
    with tempfile.TemporaryDirectory() as data:
        said = _run(
            [
                str(executable),
                "server",
                f"--{flag}={Path(path).resolve()}",
                f"--data-dir={data}",
                "--gh-app-id=1",
                f"--gh-app-key-file={data}/{_NO_KEY}",
                "--gh-webhook-secret=none",
                "--repo-allowlist=none",
                "--atlantis-url=http://localhost",
            ],
            environment,
        )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    if found := re.search(error, plain, re.DOTALL):
        return " ".join(found["reason"].split())
    if _NO_KEY in plain:
        return None
    raise RuntimeError(f"{executable} was to judge {path}, and said {plain!r}")


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    # Without this process's variables, because the server reads those that begin with ATLANTIS_ as flags.
    done = subprocess.run(
        command,
        env={"HOME": tempfile.gettempdir(), "PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr
