"""WebSockets for the page's live output, which the local AWS' load balancer doesn't support.

The deployed rules of the HTTPS listener apply as to any other request. Bytes are then relayed in both directions until
one side closes the connection, or until there is no traffic for the load balancer's idle timeout.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from sandbox.testbed.containers.targets import LoadBalancer
from sandbox.testbed.local_aws.listener_rules import Request, decide, read_listeners

_PORT = 443
_CHUNK = 65536
_SECONDS = 10.0


class NotForwardedError(Exception):
    """The load balancer doesn't forward the request, but responds with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the load balancer answers {status}")
        self.status = status


def connect(client: Any, balancer: LoadBalancer, request: Request) -> socket.socket:
    """Send the upgrade ``request`` to the target that the deployed rules select; ``client`` is boto3's ``elbv2``.

    Raises ``NotForwardedError`` if no target is selected, ``OSError`` if the connection to the target fails.
    """
    listener = next(found for found in read_listeners(client, balancer.name) if found.port == _PORT)
    decision = decide(listener, request)
    if not decision.target_groups:
        raise NotForwardedError(decision.status or 500)
    if decision.signed_in:
        _require_session(balancer, request)
    targets = client.describe_target_health(TargetGroupArn=decision.target_groups[0])["TargetHealthDescriptions"]
    if not targets:
        raise NotForwardedError(503)
    target = socket.create_connection((targets[0]["Target"]["Id"], targets[0]["Target"]["Port"]), timeout=_SECONDS)
    target.settimeout(None)
    address = f"{request.path}?{request.query}" if request.query else request.path
    headers = {**request.headers, "Host": balancer.host}
    lines = [f"{request.method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    target.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    return target


def _require_session(balancer: LoadBalancer, request: Request) -> None:
    """Request the path without an upgrade from the local load balancer, which alone can read the session cookie."""
    cookies = {name: value for name, value in request.headers.items() if name.lower() == "cookie"}
    answer = balancer.request("GET", request.path, headers=cookies)
    # The load balancer's own responses have this Server header; those of a target don't.
    if answer.headers.get("server") == "awselb/2.0":
        raise NotForwardedError(401)


def exchange(read: Callable[[int], bytes], client: socket.socket, target: socket.socket, idle_seconds: float) -> None:
    """Relay bytes until either side closes the connection, or there is no traffic for ``idle_seconds``.

    ``read`` reads from the client, including bytes that are already buffered.
    """
    clock = _IdleClock(idle_seconds)

    def send() -> None:
        _copy(read, target, clock)

    def receive(size: int) -> bytes:
        while (left := clock.left()) > 0:
            target.settimeout(left)
            with contextlib.suppress(TimeoutError):
                return target.recv(size)
        return b""

    sender = threading.Thread(target=send, name="websocket", daemon=True)
    sender.start()
    _copy(receive, client, clock)
    _end(target)
    sender.join(_SECONDS)
    target.close()


class _IdleClock:
    """The time since the last traffic in either direction."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._last = time.monotonic()

    def restart(self) -> None:
        self._last = time.monotonic()

    def left(self) -> float:
        return self._last + self._limit - time.monotonic()


def _copy(read: Callable[[int], bytes], to: socket.socket, clock: _IdleClock) -> None:
    # A lost connection ends the exchange in the same way as a closed one.
    with contextlib.suppress(OSError):
        while chunk := read(_CHUNK):
            clock.restart()
            to.sendall(chunk)
    _end(to)


def _end(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
