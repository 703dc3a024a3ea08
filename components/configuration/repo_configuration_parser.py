"""Validates a server-side repository configuration with Atlantis' own parser, if its executable is on PATH.

The server parses the file before it reads the key of its GitHub App. If the key file doesn't exist, the server exits
immediately, with the parser's error or with an error about the key.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .server_configuration import VERSION

_SECONDS = 20
_NO_KEY = "no-such-key.pem"


def find() -> Path | None:
    """The executable of the server's version: `atlantis-<version>`, as the sandbox builds it, or `atlantis`."""
    for name in (f"atlantis-{VERSION}", "atlantis"):
        found = shutil.which(name)
        if found and f"atlantis {VERSION.removeprefix('v')} " in _run([found, "version"]):
            return Path(found)
    return None


def refusal(executable: Path, path: str) -> str | None:
    """The reason for which Atlantis rejects the file `path`; None if Atlantis accepts it.

    Raises:
        RuntimeError: the server reported neither error.
    """
    with tempfile.TemporaryDirectory() as data:
        said = _run(
            [
                str(executable),
                "server",
                f"--repo-config={Path(path).resolve()}",
                f"--data-dir={data}",
                "--gh-app-id=1",
                f"--gh-app-key-file={data}/{_NO_KEY}",
                "--gh-webhook-secret=none",
                "--repo-allowlist=none",
                "--atlantis-url=http://localhost",
            ]
        )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    if found := re.search(r"parsing \S+ file: (?P<reason>.*)", plain, re.DOTALL):
        return " ".join(found["reason"].split())
    if _NO_KEY in plain:
        return None
    raise RuntimeError(f"{executable} was to judge {path}, and said {plain!r}")


def _run(command: list[str]) -> str:
    # Without this process's variables, because the server reads those that begin with ATLANTIS_ as flags.
    environment = {"HOME": tempfile.gettempdir(), "PATH": os.defpath}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr
