"""Waits for what another process does."""

import time
from collections.abc import Callable
from typing import Any

import pytest


def eventually(what: str, holds: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until ``holds`` answers with something true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = holds()
        if answer:
            return answer
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {seconds:g} s")
