"""How a plugin's process was started, and how it notices that its engine has exited."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_INTERVAL = 0.25
_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's limit for a message
SERVER_OPTIONS = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
"""The options of every plugin's gRPC server."""


@dataclass(frozen=True)
class Start:
    """The arguments of a plugin's process.

    The engine starts it with the engine's address. ``sandbox.testbed.engine.attached`` starts it with ports and a lifeline.

    ``engine`` is the engine's address, or empty if the engine passes it when it attaches. ``ports`` are the ports of
    127.0.0.1 to listen on, one for each of the process's plugins; 0 selects a free port. ``lifeline`` is the read end
    of a pipe that the engine holds open until it exits.
    """

    engine: str = ""
    ports: tuple[int, ...] = (0,)
    lifeline: int | None = None

    @property
    def attached(self) -> bool:
        """Whether ``sandbox.testbed.engine.attached`` started the process."""
        return self.lifeline is not None

    def when_engine_is_gone(self, action: Callable[[], None]) -> None:
        """Run ``action`` once, in a separate thread, after the engine has exited."""
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
    """Parse a plugin's arguments. The engine's log flags are ignored."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("engine", nargs="?", default="")
    parser.add_argument("--port", type=int, action="append", dest="ports")
    parser.add_argument("--lifeline", type=int)
    found = parser.parse_known_args(arguments)[0]
    return Start(found.engine, tuple(found.ports or (0,)), found.lifeline)
