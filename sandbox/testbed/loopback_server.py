"""HTTP servers on loopback, with or without TLS."""

import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.testbed.certificates import Certificates

_IDLE_SECONDS = 60
_HANDSHAKE = b"\x16"
"""The first byte that a TLS client sends (RFC 8446, section 5.1); no HTTP request begins with it."""


class LoopbackServer(ThreadingHTTPServer):
    """A server on ``port`` of 127.0.0.1; port 0 selects a free port. The TLS handshake runs in the connection's thread.

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
