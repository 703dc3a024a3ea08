"""Reads the memory of processes, and reads a figure again and again while something else runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def kibibytes(pid: int, file: str, field: str) -> int:
    """A figure of memory in a file of `/proc/<pid>`; 0 for a process that has exited."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


@contextmanager
def sampled(read: Callable[[], T], *, seconds: float) -> Iterator[list[T]]:
    """Collect what ``read`` returns now and every ``seconds``, until the context ends."""
    samples, ended = [read()], threading.Event()

    def watch() -> None:
        while not ended.wait(seconds):
            samples.append(read())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        ended.set()
        watcher.join()
