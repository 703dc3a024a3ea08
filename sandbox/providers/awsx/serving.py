"""The process of the awsx stand-in: start and shutdown."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import signal

from sandbox.plugin_start import Start

__all__ = ["serve"]


def serve(start: Start) -> None:
    """Serve the component on a free port of 127.0.0.1 with the SDK's provider server.

    Unlike the aws stand-in, this process exits immediately on a signal: it has no state, and a component that waits for
    an engine that has exited would never finish.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    start.when_engine_is_gone(lambda: os._exit(0))
    # Importing the SDK takes a second or more; a signal must end the process during that time too.
    server = importlib.import_module("sandbox.providers.awsx.server")
    server.run(importlib.metadata.version("pulumi-awsx"), start)
