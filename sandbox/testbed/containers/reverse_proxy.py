"""The reverse proxy on loopback with which a browser connects to the deployed HTTPS listener.

The local AWS serves a load balancer below ``/_alb/<name>``, but Atlantis' page links to ``/static/...``. The proxy
serves the load balancer at the root of a separate port, so that every link works. The port also accepts TLS, for a
browser that uses the deployed host name: an identity provider redirects users to ``https://<host>/oauth2/idpresponse``.

The proxy applies the load balancer's idle timeout, which the local AWS doesn't: it closes a connection without traffic
after that time, and returns 504 if the target doesn't respond within it.
"""

import ssl
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.testbed.certificates import Certificates
from sandbox.testbed.containers import websocket
from sandbox.testbed.containers.targets import LoadBalancer, idle_timeout
from sandbox.testbed.local_aws.listener_rules import Request
from sandbox.testbed.loopback_server import Handler, LoopbackServer

_LARGEST_BODY = 16 * 1024 * 1024
_DEFAULT_TIMEOUT = 60.0
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
        "host",
        "upgrade",
        "date",
        "server",
        "set-cookie",
    }
)


class ReverseProxy:
    """A reverse proxy on the loopback port ``port`` for one load balancer; ``client`` (``elbv2``) reads its rules.

    It serves HTTP, and HTTPS with ``certificates``, until it is closed.
    """

    def __init__(self, balancer: LoadBalancer, client: Any, port: int, certificates: Certificates) -> None:
        self._server = LoopbackServer(_handler(balancer, client), certificates, port=port, plain_too=True).start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.stop()


def _handler(balancer: LoadBalancer, client: Any) -> type[Handler]:
    class Proxy(Handler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            # As on AWS, a changed idle timeout applies to new connections.
            try:
                self._idle_seconds = idle_timeout(client, balancer.name)
            except (BotoCoreError, ClientError):
                # The request that follows is answered with 502 and the reason.
                self._idle_seconds = _DEFAULT_TIMEOUT
            self.request.settimeout(self._idle_seconds)
            super().setup()

        def _forward(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            if length > _LARGEST_BODY:
                self.send_error(413)
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
            try:
                answer = balancer.request(
                    self.command, self.path, headers=headers, body=self.rfile.read(length), seconds=self._idle_seconds
                )
            except TimeoutError:
                self.send_error(504)
                return
            except OSError as problem:
                self.send_error(502, f"The local AWS doesn't respond: {problem}")
                return
            shown = [(name, value) for name, value in answer.headers.items() if name not in _HOP_BY_HOP]
            self.respond(answer.status, answer.body, [*shown, *(("Set-Cookie", each) for each in answer.cookies)])

        def _open_websocket(self) -> None:
            self.close_connection = True
            if isinstance(self.connection, ssl.SSLSocket):
                # A WebSocket sends and receives at the same time, which Python's TLS sockets don't support.
                self.send_error(501, "The sandbox supports WebSockets only over http")
                return
            address = urlsplit(self.path)
            headers = dict(self.headers.items())
            # A page at the proxy's address is the deployed host's page. Other origins stay, so that Atlantis can deny them.
            if urlsplit(headers.get("Origin", "")).netloc == self.headers.get("Host"):
                headers["Origin"] = f"https://{balancer.host}"
            request = Request(self.client_address[0], self.command, address.path, balancer.host, address.query, headers)
            try:
                target = websocket.connect(client, balancer, request)
            except websocket.NotForwardedError as answer:
                self.send_error(answer.status)
            except (BotoCoreError, ClientError, OSError) as problem:
                self.send_error(502, f"The local AWS or the task doesn't respond: {problem}")
            else:
                # An idle timeout for both directions replaces the client socket's own timeout.
                self.connection.settimeout(None)
                websocket.exchange(self.rfile.read1, self.connection, target, self._idle_seconds)

        def do_GET(self) -> None:
            if self.headers.get("Upgrade", "").lower() == "websocket":
                self._open_websocket()
            else:
                self._forward()

        do_HEAD = do_POST = do_PUT = do_DELETE = _forward

    return Proxy
