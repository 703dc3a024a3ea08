"""The proxy that connects GitHub's host names to the stand-in and refuses every other destination."""

import select
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

from sandbox.testbed.certificates import HOSTS
from sandbox.testbed.github.store import Store

__all__ = ["proxy_handler"]

_IDLE_SECONDS = 60


def proxy_handler(port: int, store: Store) -> type[BaseHTTPRequestHandler]:
    """Return a ``CONNECT`` handler that connects GitHub's host names to the loopback port ``port``.

    It refuses and records every other destination.
    """

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            if self.path not in {f"{host}:443" for host in HOSTS}:
                store.record("refused", {"destination": self.path})
                self.send_error(403, "The sandbox allows connections only to GitHub's stand-in and the local AWS")
                return
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                self.send_response(200, "Connection established")
                self.end_headers()
                _relay(self.connection, upstream)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            """Log nothing, because the store records refused destinations."""

    return Proxy


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    peers = {client: upstream, upstream: client}
    while True:
        readable, _, _ = select.select(list(peers), [], [], _IDLE_SECONDS)
        if not readable:
            return
        for source in readable:
            data = source.recv(65_536)
            if not data:
                return
            peers[source].sendall(data)
