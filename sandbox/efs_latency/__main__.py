"""``python -m sandbox.efs_latency FILES PLACE READ WRITE``: serves the file system until SIGTERM, or until its parent has ended."""

import os
import signal
import sys
from pathlib import Path

from sandbox.efs_latency.file_system import Files
from sandbox.efs_latency.mount import Latency
from sandbox.efs_latency.server import serve
from sandbox.testbed import processes


def main() -> None:
    """Serve. libfuse unmounts at SIGTERM."""
    files, place, read, write = sys.argv[1:]
    processes.end_with_parent(end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    serve(Files(Path(files), Latency(float(read), float(write))), Path(place))


main()
