"""The real server, started alone with given flags: whether it starts, and a place to send its events to."""

import contextlib
import http.client
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sandbox.atlantis import build
from sandbox.testbed.ports import free_port

_OUTSIDE = ("testing slack authentication", "initializing server: initializing S3 plan store: ")
"""The last checks of a webhook to Slack and of a bucket for plans ask Slack and AWS, which a test can't reach."""
_SECONDS = 60
_PORTS = 3
"""Another process may take the port before the server does."""


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
    for _ in range(_PORTS):
        with _listening(folder, variables, flags, free_port()) as url:
            if url:
                yield url
                return
    raise RuntimeError("each port was taken by another process before the server listened")


@contextlib.contextmanager
def _listening(folder: Path, variables: Mapping[str, str], flags: Sequence[str], port: int) -> Iterator[str | None]:
    """The URL of a server on this port; None if another process took it meanwhile."""
    url = f"http://127.0.0.1:{port}"
    environment = {
        "HOME": str(folder),
        "PATH": f"{folder / 'bin'}:{os.defpath}",
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
            yield url if _listens(server, port, folder / "server.log") else None
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


def _listens(server: "subprocess.Popen[bytes]", port: int, log: Path) -> bool:
    """Wait until the server answers. A server whose port is taken logs that and lives on, without listening."""
    deadline = time.monotonic() + _SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        answered = False
        if f"listening on port {port}" in log.read_text(encoding="utf-8"):
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
                answered = answer.status == 200
        if "address already in use" in log.read_text(encoding="utf-8"):
            return False
        if answered:
            return True
        time.sleep(0.05)
    raise RuntimeError(log.read_text(encoding="utf-8"))
