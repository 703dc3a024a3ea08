"""Progress for people: one line per step, on standard error so that standard output carries data only."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["elapsed", "note", "step", "timed"]


def step(message: str) -> None:
    """Say what happens now."""
    sys.stderr.write(f"==> {message}\n")
    sys.stderr.flush()


def note(message: str) -> None:
    """Add a detail to the step before."""
    sys.stderr.write(f"    {message}\n")
    sys.stderr.flush()


def elapsed(seconds: float) -> str:
    """``seconds`` as people say it: ``8 s``, ``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


@contextmanager
def timed(message: str) -> Iterator[None]:
    """Announce a step, and say how long it took where that was long enough to wonder."""
    step(message)
    started = time.monotonic()
    yield
    duration = time.monotonic() - started
    if duration >= 2:
        note(f"done in {elapsed(duration)}")
