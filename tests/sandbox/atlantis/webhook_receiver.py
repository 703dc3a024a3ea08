"""A receiver for what Atlantis posts after an apply or a detection of drift."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

from sandbox.testbed.loopback_server import LoopbackServer

__all__ = ["Received", "receiver"]

Received = tuple[str, str, dict[str, Any]]
"""The path, the header `Authorization` (empty without one), and the body, which is JSON."""


@contextlib.contextmanager
def receiver() -> Iterator[tuple[int, list[Received]]]:
    """A port of loopback, and what has been posted to it until now."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.path, self.headers.get("Authorization", ""), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            """Log nothing: the test reads what was received."""

    server = LoopbackServer(Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield server.server_port, received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
