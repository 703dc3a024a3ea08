"""`make logs`: follow what Atlantis says."""

import argparse
import sys
import time
from collections import deque
from pathlib import Path

from sandbox.atlantis.lifecycle import deployed
from sandbox.errors import SandboxError
from sandbox.run import Sandbox

__all__ = ["add_arguments", "run"]

_POLL_SECONDS = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``logs``."""
    parser.add_argument("--lines", type=int, default=40, help="how many of the last lines to begin with (default: 40)")
    parser.add_argument("--no-follow", action="store_true", help="end after the last line")


def run(arguments: argparse.Namespace) -> int:
    """Print the last lines and then every new one, until interrupted."""
    deployment = deployed(Sandbox(arguments.stack))
    log = deployment.state / "logs" / f"{deployment.name}.log" if deployment else None
    if log is None or not log.is_file():
        raise SandboxError("Atlantis has not run here yet; `make up` starts it")
    try:
        follow(log, arguments.lines, forever=not arguments.no_follow)
    except KeyboardInterrupt:
        return 0
    return 0


def follow(log: Path, lines: int, *, forever: bool) -> None:
    """Write the last ``lines`` of ``log`` to standard output; with ``forever``, every later one as well."""
    with log.open(encoding="utf-8", errors="replace") as stream:
        sys.stdout.writelines(deque(stream, maxlen=lines))
        sys.stdout.flush()
        while forever:
            line = stream.readline()
            if line:
                sys.stdout.write(line)
                sys.stdout.flush()
            else:
                time.sleep(_POLL_SECONDS)
