"""Noticing that the engine which started this process is gone."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

_INTERVAL = 0.25


def when_parent_is_gone(action: Callable[[], None]) -> None:
    """Run `action` once this process has lost the parent that it has now."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_INTERVAL)
        action()

    threading.Thread(target=watch, name="parent", daemon=True).start()
