"""A loopback proxy before the local AWS that answers a share of the calls with throttling or an internal error."""

import http.client
import random
import threading
from typing import cast
from urllib.parse import urlsplit

from sandbox.testbed.loopback_server import Handler, LoopbackServer

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


class FaultyAws(LoopbackServer):
    """Passes calls on to ``endpoint``; a ``share`` of them (0 to 1, chosen at random, but always alike) fails before it gets there."""

    def __init__(self, endpoint: str, *, share: float) -> None:
        super().__init__(_Passing)
        self.target = urlsplit(endpoint).netloc
        self.share = share
        self.failed = 0
        self.passed = 0
        self._chance = random.Random(7)  # noqa: S311 - a repeatable choice, not a secret
        self._lock = threading.Lock()

    def fault(self) -> tuple[int, str, bytes] | None:
        """The answer to the next call where it fails."""
        with self._lock:
            if self._chance.random() >= self.share:
                self.passed += 1
                return None
            self.failed += 1
            return self._chance.choice((THROTTLED, BROKEN))


class _Passing(Handler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        status, headers, answer = self._pass_on(self.body())
        own = {"transfer-encoding", "content-length", "connection", "server", "date"}
        self.respond(status, answer, [(name, value) for name, value in headers if name.lower() not in own])

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

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer
