"""The messages between the server's task and an executor, over one stream socket: a type, a length, the content."""

import contextlib
import json
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

VERSION = 3
"""Server and workers are deployed one after the other; two images that don't fit are refused instead of misunderstood."""

SILENCE = float(os.environ.get("ISOLATION_SILENCE_SECONDS", "60"))
"""Seconds without a message after which the other side is taken for gone. Each side sends one in a quarter of that time."""

# From the shim, which acknowledges EXIT.
REQUEST, LIST, TREE, END, INPUT, INPUT_END, INTERRUPT = b"R", b"L", b"T", b"E", b"I", b"Z", b"S"
ACKNOWLEDGE = b"A"
# From both.
HEARTBEAT = b"H"
# From the executor, which ends WANT with END too.
WANT = b"W"
READY, OUTPUT, ERROR_OUTPUT, FILE, DATA, EXIT = b"G", b"O", b"o", b"P", b"D", b"X"
"""READY says that the checkout has arrived. The shim sends input and interrupts only afterwards: another process of the
executor reads the checkout, and would take them with it."""

_HEADER = struct.Struct(">cI")
_LARGEST = 1 << 20
_LONGEST_LINE = 1 << 16


class ProtocolError(Exception):
    """The other side sent what the protocol doesn't allow."""


class Channel:
    """One side of a connection; reads are buffered, writes are not."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.silent = False
        """Whether the connection was ended because nothing came."""
        self._buffer = bytearray()
        self._heard_at = time.monotonic()
        self._sending = self._receiving = False

    def keep_alive(self) -> None:
        """From now on, send heartbeats, and end the connection if nothing comes for `SILENCE` seconds.

        A timer's signal does both, whatever this process waits for. A blocked call then returns as at the connection's end.
        """
        self._heard_at = time.monotonic()
        signal.signal(signal.SIGALRM, lambda _number, _frame: self._beat())
        signal.setitimer(signal.ITIMER_REAL, SILENCE / 4, SILENCE / 4)

    def leave(self) -> None:
        """End the heartbeats, before another process takes the connection over."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def settle(self) -> None:
        """Read the rest of a heartbeat that has been read in part, before another process takes the connection over."""
        while self._taken() is None and self._buffer:
            self._buffer += self.connection.recv(_HEADER.size - len(self._buffer))

    def _beat(self) -> None:
        with contextlib.suppress(OSError):  # nothing has come
            if self._sending:
                # What comes while this side is blocked in sending shows that the other one lives.
                self._fill(socket.MSG_DONTWAIT)
            elif not self._receiving and self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                # This side hasn't looked for a while; what waits there is proof enough until it does.
                self._heard_at = time.monotonic()
        with contextlib.suppress(OSError):  # the connection has ended, which its reader sees
            if time.monotonic() - self._heard_at > SILENCE:
                self.silent = True
                self.connection.shutdown(socket.SHUT_RDWR)
            elif not self._sending:
                self.send(HEARTBEAT)

    def send(self, kind: bytes, content: bytes | memoryview = b"") -> None:
        """Send one message, split if it is too long for one; blocks until the kernel has taken it."""
        view = memoryview(content)
        self._sending = True
        try:
            while True:
                part, view = view[:_LARGEST], view[_LARGEST:]
                self.connection.sendall(_HEADER.pack(kind, len(part)))
                if part:
                    self.connection.sendall(part)
                if not view:
                    return
        finally:
            self._sending = False

    def send_json(self, kind: bytes, content: Any) -> None:
        """Send one message of JSON."""
        encoded = json.dumps(content).encode()
        if len(encoded) > _LARGEST:
            raise ProtocolError(f"a message of {len(encoded)} bytes is longer than {_LARGEST}")
        self.send(kind, encoded)

    def receive(self) -> tuple[bytes, bytes] | None:
        """The next message; None at the end of the connection."""
        while True:
            if (message := self._taken()) is not None:
                return message
            if not self._fill():
                return None

    def put_back(self, kind: bytes, content: bytes) -> None:
        """Make a received message the next one again."""
        self._buffer[:0] = _HEADER.pack(kind, len(content)) + content

    def available(self) -> Iterator[tuple[bytes, bytes] | None]:
        """The messages that one read brings, after the socket was reported readable; None for the connection's end."""
        alive = self._fill()
        yield from self.waiting()
        if not alive:
            yield None

    def waiting(self) -> Iterator[tuple[bytes, bytes]]:
        """The messages that were read already, so that the socket doesn't become readable for them."""
        while (message := self._taken()) is not None:
            yield message

    def _taken(self) -> tuple[bytes, bytes] | None:
        while len(self._buffer) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer)
            if length > _LARGEST:
                raise ProtocolError(f"a message of {length} bytes is longer than {_LARGEST}")
            if len(self._buffer) < _HEADER.size + length:
                return None
            content = bytes(self._buffer[_HEADER.size : _HEADER.size + length])
            del self._buffer[: _HEADER.size + length]
            if kind != HEARTBEAT:
                return kind, content
        return None

    def _fill(self, flags: int = 0) -> bool:
        self._receiving = True
        try:
            received = self.connection.recv(1 << 18, flags)
            self._buffer += received
        except ConnectionResetError:
            return False
        finally:
            self._receiving = False
        self._heard_at = time.monotonic()
        return bool(received)


class FrameWriter:
    """A file object to write to: what is written becomes messages of one kind, of a useful size."""

    _SIZE = 1 << 18

    def __init__(self, channel: Channel, kind: bytes) -> None:
        self._channel, self._kind, self._buffer = channel, kind, bytearray()

    def write(self, content: bytes) -> int:
        """Buffer `content`, and send what is full."""
        self._buffer += content
        if len(self._buffer) >= self._SIZE:
            self.flush()
        return len(content)

    def flush(self) -> None:
        """Send what is buffered."""
        if self._buffer:
            self._channel.send(self._kind, bytes(self._buffer))
            self._buffer.clear()


def line(connection: socket.socket) -> Any:
    """The document in one line of JSON. What follows it is another reader's, so no more is read."""
    content = b""
    while not content.endswith(b"\n"):
        part = connection.recv(1)
        if not part or len(content) > _LONGEST_LINE:
            raise OSError("it closed the connection")
        content += part
    return json.loads(content)


def decode(content: bytes) -> dict[str, Any]:
    """The JSON object of a message."""
    try:
        decoded = json.loads(content)
    except ValueError as problem:
        raise ProtocolError(f"a message isn't JSON: {problem}") from problem
    if not isinstance(decoded, dict):
        raise ProtocolError("a message isn't a JSON object")
    return decoded
