"""Mounts the file system in a separate process, and ends both in every case."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.testbed import processes
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CHECKOUT

__all__ = ["LATENCY", "LIBRARY", "Latency", "mounted", "why_not"]

LIBRARY = "fuse3"
_SECONDS = 10.0


@dataclass(frozen=True)
class Latency:
    """The seconds of an operation that the server answers by reading, and of one that it answers by writing."""

    read: float
    write: float

    def __str__(self) -> str:
        return f"{self.read * 1000:g} ms per read, {self.write * 1000:g} ms per write"


LATENCY = Latency(read=0.001, write=0.0027)
"""What AWS states for a Regional file system with Elastic throughput."""


@functools.cache
def why_not() -> str:
    """Why this machine can't mount the file system; empty if it can."""
    if not sys.platform.startswith("linux") or not Path("/dev/fuse").exists():
        return "this machine has no /dev/fuse"
    if find_library(LIBRARY) is None:
        return "this machine has no libfuse 3: install it (Debian: apt-get install fuse3)"
    if os.geteuid() != 0:
        return "only root can mount a file system for all users"
    try:
        with tempfile.TemporaryDirectory() as folder, mounted(Path(folder, "files"), Path(folder, "place")):
            return ""
    except SandboxError as problem:
        return str(problem)


@contextmanager
def mounted(files: Path, place: Path, latency: Latency = LATENCY) -> Iterator[None]:
    """Show the directory ``files`` at ``place`` with ``latency``, for all users; both are created.

    Raises:
        SandboxError: it can't be mounted, or not be unmounted.
    """
    for directory in (files, place):
        directory.mkdir(parents=True, exist_ok=True)
    device = place.stat().st_dev
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "sandbox.efs_latency",
                str(files),
                str(place),
                str(latency.read),
                str(latency.write),
            ],
            cwd=CHECKOUT,
            env={**os.environ, "FUSE_LIBRARY_NAME": LIBRARY},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            # Ctrl-C interrupts this process, which ends the programs that use the file system first.
            start_new_session=True,
        )
        try:
            _wait_until_mounted(process, place, device, said)
            yield
        finally:
            _end(process, place, device)


def _wait_until_mounted(process: "subprocess.Popen[bytes]", place: Path, device: int, said: IO[bytes]) -> None:
    deadline = time.monotonic() + _SECONDS
    while place.stat().st_dev == device:
        if process.poll() is not None:
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines() or [f"exit code {process.returncode}"]
            raise SandboxError(f"FUSE can't mount a file system at {place}: {lines[-1]}")
        if time.monotonic() > deadline:
            raise SandboxError(f"FUSE didn't mount a file system at {place} within {_SECONDS:g} s")
        time.sleep(0.01)


def _end(process: "subprocess.Popen[bytes]", place: Path, device: int) -> None:
    processes.end_child(process, _SECONDS)
    # A process that was killed leaves a mount that answers nothing.
    subprocess.run(["umount", "--lazy", str(place)], capture_output=True, check=False)
    if place.stat().st_dev != device:
        raise SandboxError(f"the file system at {place} is still mounted: unmount it with `umount --lazy {place}`")
