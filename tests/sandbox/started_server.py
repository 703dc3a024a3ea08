"""The real server, started alone with given flags: whether it starts, and a place to send its events to."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox.atlantis import build

__all__ = ["refusal", "started"]

_OUTSIDE = ("testing slack authentication", "initializing server: initializing S3 plan store: ")
"""The last checks of a webhook to Slack and of a bucket for plans ask Slack and AWS, which a test can't reach."""
_SECONDS = 60


@contextlib.contextmanager
def started(folder: Path, variables: Mapping[str, str], *flags: str) -> Iterator[str]:
    """The URL of a server that listens on loopback.

    Args:
        folder: for its data and its log.
        variables: of its environment, which has nothing else but a Terraform that only knows its version.
        flags: more of its arguments.

    Raises:
        RuntimeError: the server ended, with what it said.
    """
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    terraform = programs / "terraform"
    terraform.write_text("#!/bin/sh\necho 'Terraform v1.11.4'\n", encoding="utf-8")
    terraform.chmod(0o755)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "HOME": str(folder),
        "PATH": f"{programs}:{os.defpath}",
        # Nothing leaves this machine: no one listens there.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ATLANTIS_DATA_DIR": str(folder / "data"),
        "ATLANTIS_PORT": str(port),
        "ATLANTIS_ATLANTIS_URL": url,
        **variables,
    }
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [str(build.executable()), "server", "--tf-download=false", *flags],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(server, url, folder / "server.log")
            yield url
        finally:
            server.terminate()
            server.wait(_SECONDS)


def refusal(folder: Path, variables: Mapping[str, str], *flags: str) -> str | None:
    """Why the server didn't start; None if it did, or if only a service outside of this machine is missing."""
    try:
        with started(folder, variables, *flags):
            return None
    except RuntimeError as error:
        return None if any(check in str(error) for check in _OUTSIDE) else str(error)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if urllib.request.urlopen(f"{url}/healthz", timeout=5).status == 200:  # noqa: S310 - on loopback
                return
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    raise RuntimeError(log.read_text(encoding="utf-8"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
