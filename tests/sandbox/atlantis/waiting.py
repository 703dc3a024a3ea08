"""Waits for what another process does."""

import time
from collections.abc import Callable
from typing import Any

import pytest

_LONGEST = 300.0
"""Seconds for which the slowest machine is waited for."""


def eventually(what: str, holds: Callable[[], Any]) -> Any:
    """Wait until ``holds`` answers with something true, and return it."""
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {_LONGEST:g} s")
