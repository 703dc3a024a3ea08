"""The process of the stand-in, and its end."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import signal

from sandbox.engine.plugin_start import Start

__all__ = ["serve"]


def serve(start: Start) -> None:
    """Serve the component on a free port of 127.0.0.1 through the SDK's own provider server.

    Unlike the aws stand-in this one ends at once: it holds nothing, and a component that waits for an engine which is gone
    would never finish.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    start.when_engine_is_gone(lambda: os._exit(0))
    # The SDK takes its time to load; a signal must end the process all the while.
    server = importlib.import_module("sandbox.providers.awsx.server")
    server.run(importlib.metadata.version("pulumi-awsx"), start)
