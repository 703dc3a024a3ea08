"""The proxy that leads the names of GitHub to its stand-in, and nowhere else."""

import select
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

from sandbox.github.certificates import HOSTS
from sandbox.github.store import Store

__all__ = ["proxy_handler"]

_IDLE_SECONDS = 60


def proxy_handler(port: int, store: Store) -> type[BaseHTTPRequestHandler]:
    """A handler of ``CONNECT``: GitHub's names lead to ``port`` on loopback; all else is refused and recorded."""

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
            """Destinations that are refused are recorded by the store."""

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
