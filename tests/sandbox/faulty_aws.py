"""A loopback proxy before the local AWS that answers a share of the calls with throttling or an internal error."""

import http.client
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

THROTTLED = (
    503,
    "text/xml",
    b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
)
BROKEN = (
    500,
    "text/xml",
    b"<ErrorResponse><Error><Code>InternalFailure</Code><Message>An internal error</Message></Error></ErrorResponse>",
)


class FaultyAws(ThreadingHTTPServer):
    """Passes calls on to ``endpoint``; a ``share`` of them (0 to 1, chosen by ``seed``) fails before it gets there."""

    daemon_threads = True

    def __init__(self, endpoint: str, share: float, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(endpoint).netloc
        self.share = share
        self.failed = 0
        self.passed = 0
        self._chance = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """The proxy's own address."""
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self) -> tuple[int, str, bytes] | None:
        """The answer to the next call where it fails."""
        with self._lock:
            if self._chance.random() >= self.share:
                self.passed += 1
                return None
            self.failed += 1
            return self._chance.choice((THROTTLED, BROKEN))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = self._pass_on(body)
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"transfer-encoding", "content-length", "connection", "server", "date"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        server = cast("FaultyAws", self.server)
        fault = server.fault()
        if fault:
            return fault[0], [("Content-Type", fault[1])], fault[2]
        connection = http.client.HTTPConnection(server.target, timeout=60)
        # The Host header stays that of the proxy: the signature covers it.
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in {"connection", "expect"}:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), content

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer  # noqa: N815 - the base class' names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Calls are counted, not written to standard error."""


@contextmanager
def faulty(endpoint: str, *, share: float, seed: int) -> Iterator[FaultyAws]:
    """A faulty AWS before ``endpoint`` for as long as the context lasts."""
    server = FaultyAws(endpoint, share, seed)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
