"""`make logs`: follow Atlantis' log."""

import argparse
import itertools
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from sandbox.sandbox import Sandbox
from sandbox.testbed.errors import SandboxError

_POLL_SECONDS = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``logs``."""
    parser.add_argument("--lines", type=int, default=40, help="the number of last lines to print first (default: 40)")
    parser.add_argument("--no-follow", action="store_true", help="exit after the last line")


def run(arguments: argparse.Namespace) -> int:
    """Print the last lines and then every new one, until interrupted."""
    deployment = Sandbox(arguments.stack).service()
    names = itertools.islice(deployment.task_names(), 2) if deployment else ()
    logs = [Sandbox(arguments.stack).state / "logs" / f"{name}.log" for name in names]
    latest = max(filter(Path.is_file, logs), key=lambda log: log.stat().st_mtime, default=None)
    if latest is None:
        raise SandboxError("Atlantis hasn't been started yet. Run `make up` to start it")
    try:
        follow(latest, arguments.lines, forever=not arguments.no_follow, also=[log for log in logs if log != latest])
    except KeyboardInterrupt:
        return 0
    return 0


def follow(log: Path, lines: int, *, forever: bool, also: Sequence[Path] = ()) -> None:
    """Write the last ``lines`` of ``log`` to standard output; with ``forever``, every later one as well.

    New lines of the logs ``also`` are written too, because a new task may start while the task of ``log`` is running.
    """
    offsets = {other: other.stat().st_size if other.exists() else 0 for other in also}
    with log.open(encoding="utf-8", errors="replace") as stream:
        sys.stdout.writelines(deque(stream, maxlen=lines))
        offsets[log] = stream.tell()
    sys.stdout.flush()
    while forever:
        for file, offset in offsets.items():
            if file.exists():
                offsets[file] = _write_from(file, offset)
        time.sleep(_POLL_SECONDS)


def _write_from(log: Path, offset: int) -> int:
    """Write the lines after ``offset`` and return the new offset."""
    with log.open(encoding="utf-8", errors="replace") as stream:
        stream.seek(offset)
        sys.stdout.writelines(stream)
        sys.stdout.flush()
        return stream.tell()
