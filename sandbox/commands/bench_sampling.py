"""Reads a figure again and again while something else runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["sampled"]


@contextmanager
def sampled(read: Callable[[], float], *, seconds: float) -> Iterator[list[float]]:
    """Collect what ``read`` returns every ``seconds``, until the context ends; the list begins with 0."""
    samples, ended = [0.0], threading.Event()

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
