"""Starts a plugin's process, which ends when its engine ends."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["SERVER_OPTIONS", "Start", "parse"]

_INTERVAL = 0.25
_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit for a message
SERVER_OPTIONS = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
"""Of every plugin's gRPC server."""


@dataclass(frozen=True)
class Start:
    """By the engine, which gives its address; or beside it (``sandbox.engine.attached``), with ports and a lifeline.

    ``engine`` is the engine's address, empty where it is learnt when the engine attaches; ``ports`` are those of 127.0.0.1
    to serve, one for each of the process's plugins, 0 for any; ``lifeline`` is the reading end of a pipe that the engine
    holds open as long as it lives.
    """

    engine: str = ""
    ports: tuple[int, ...] = (0,)
    lifeline: int | None = None

    @property
    def attached(self) -> bool:
        """Whether the process was started beside the engine."""
        return self.lifeline is not None

    def when_engine_is_gone(self, action: Callable[[], None]) -> None:
        """Run ``action`` once, in a thread of its own."""
        parent, lifeline = os.getppid(), self.lifeline

        def watch() -> None:
            if lifeline is not None:
                while os.read(lifeline, 1):
                    pass
            else:
                while os.getppid() == parent:
                    time.sleep(_INTERVAL)
            action()

        threading.Thread(target=watch, name="engine", daemon=True).start()


def parse(arguments: Sequence[str]) -> Start:
    """Read a plugin's arguments; the engine's log flags are left alone."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("engine", nargs="?", default="")
    parser.add_argument("--port", type=int, action="append", dest="ports")
    parser.add_argument("--lifeline", type=int)
    found = parser.parse_known_args(arguments)[0]
    return Start(found.engine, tuple(found.ports or (0,)), found.lifeline)
