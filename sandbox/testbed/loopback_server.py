"""HTTP servers on loopback, with or without TLS, and what their handlers have in common."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from sandbox.testbed.certificates import Certificates

_IDLE_SECONDS = 60
_POLL_SECONDS = 0.1
_HANDSHAKE = b"\x16"
"""The first byte that a TLS client sends (RFC 8446, section 5.1); no HTTP request begins with it."""


class Handler(BaseHTTPRequestHandler):
    """Sends whole responses. It logs nothing: what matters is recorded by its server, and a path may be a secret."""

    def body(self) -> bytes:
        """The request's body, whose length its header states."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def respond(self, status: int, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send a response."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Log nothing."""


class LoopbackServer(ThreadingHTTPServer):
    """A server on ``port`` of 127.0.0.1; port 0 selects a free port. The TLS handshake runs in the connection's thread.

    It serves in a thread, from `start` or for as long as the context lasts.

    With ``certificates``, the server uses TLS. With ``plain_too``, it also accepts plaintext connections.
    """

    daemon_threads = True
    request_queue_size = 128
    """socketserver's 5 resets connections while 150 pull requests are cloned at once."""

    def __init__(
        self,
        handler: Callable[..., BaseHTTPRequestHandler],
        certificates: Certificates | None = None,
        *,
        port: int = 0,
        plain_too: bool = False,
    ) -> None:
        self._tls = _context(certificates) if certificates else None
        self._plain_too = plain_too
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        """The server's address for clients without TLS."""
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> Self:
        """Serve until `stop`."""
        threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(_IDLE_SECONDS)
        if self._plain_too and request.recv(1, socket.MSG_PEEK) != _HANDSHAKE:
            request.settimeout(None)
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as encrypted:
            super().finish_request(encrypted, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect or don't trust the certificate: the client reports the error."""


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificates.chain, certificates.key)
    return context
