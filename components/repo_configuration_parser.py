"""Atlantis' own verdict on a server-side repository configuration, where its executable is on PATH.

The server reads the file before it looks at the key of its GitHub App. Started with a key that isn't there, it ends at once: with the
parser's words, or with those about the key.
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
    """Why Atlantis refuses the file `path`; None where it takes it.

    Raises:
        RuntimeError: the server said neither.
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
    # None of this process's variables: the server would take those that begin with ATLANTIS_ as flags.
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
