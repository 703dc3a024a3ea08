"""Progress messages: one line per step, on standard error, so that standard output contains only data."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def step(message: str) -> None:
    """Print the step that starts now."""
    sys.stderr.write(f"==> {message}\n")
    sys.stderr.flush()


def note(message: str) -> None:
    """Print a detail of the previous step."""
    sys.stderr.write(f"    {message}\n")
    sys.stderr.flush()


def elapsed(seconds: float) -> str:
    """A duration in readable form: ``8 s``, ``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


@contextmanager
def timed(message: str) -> Iterator[None]:
    """Print a step, and its duration if it took 2 seconds or longer."""
    step(message)
    started = time.monotonic()
    yield
    duration = time.monotonic() - started
    if duration >= 2:
        note(f"done in {elapsed(duration)}")
