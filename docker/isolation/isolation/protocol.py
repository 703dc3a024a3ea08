"""The messages between a shim and an executor, over one stream socket: a type, a length, the content."""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

__all__ = [
    "DATA",
    "END",
    "ERROR_OUTPUT",
    "EXIT",
    "FILE",
    "INPUT",
    "INPUT_END",
    "INTERRUPT",
    "LIST",
    "OUTPUT",
    "READY",
    "REQUEST",
    "TREE",
    "VERSION",
    "WANT",
    "Channel",
    "FrameWriter",
    "ProtocolError",
    "decode",
]

VERSION = 2
"""Both sides are of one image; a task that mixes two images is refused instead of misunderstood."""

# From the shim.
REQUEST, LIST, TREE, END, INPUT, INPUT_END, INTERRUPT = b"R", b"L", b"T", b"E", b"I", b"Z", b"S"
# From the executor, which ends WANT with END too.
WANT = b"W"
READY, OUTPUT, ERROR_OUTPUT, FILE, DATA, EXIT = b"G", b"O", b"o", b"P", b"D", b"X"
"""READY says that the checkout has arrived. The shim sends input and interrupts only afterwards: another process of the
executor reads the checkout, and would take them with it."""

_HEADER = struct.Struct(">cI")
_LARGEST = 1 << 20


class ProtocolError(Exception):
    """The other side sent what the protocol doesn't allow, or ended in the middle of a message."""


class Channel:
    """One side of a connection; reads are buffered, writes are not."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = bytearray()

    def send(self, kind: bytes, content: bytes | memoryview = b"") -> None:
        """Send one message, split if it is too long for one; blocks until the kernel has taken it."""
        view = memoryview(content)
        while True:
            part, view = view[:_LARGEST], view[_LARGEST:]
            self.connection.sendall(_HEADER.pack(kind, len(part)))
            if part:
                self.connection.sendall(part)
            if not view:
                return

    def send_json(self, kind: bytes, content: Any) -> None:
        """Send one message of JSON."""
        encoded = json.dumps(content).encode()
        if len(encoded) > _LARGEST:
            raise ProtocolError(f"a message of {len(encoded)} bytes is longer than {_LARGEST}")
        self.send(kind, encoded)

    def receive(self) -> tuple[bytes, bytes] | None:
        """The next message; None at the end of the connection, if no message was begun."""
        while True:
            if (message := self._taken()) is not None:
                return message
            if not self._fill():
                if self._buffer:
                    raise ProtocolError("the connection ended in the middle of a message")
                return None

    def put_back(self, kind: bytes, content: bytes) -> None:
        """Make a received message the next one again."""
        self._buffer[:0] = _HEADER.pack(kind, len(content)) + content

    def available(self) -> Iterator[tuple[bytes, bytes] | None]:
        """The messages that one read brings, after the socket was reported readable; None for the connection's end."""
        alive = self._fill()
        while (message := self._taken()) is not None:
            yield message
        if not alive:
            yield None

    @property
    def pending(self) -> bool:
        """Whether a whole message has been read already, so that the socket needn't become readable for it."""
        return len(self._buffer) >= _HEADER.size and len(self._buffer) >= _HEADER.size + self._length()

    def _length(self) -> int:
        return _HEADER.unpack_from(self._buffer)[1]

    def _taken(self) -> tuple[bytes, bytes] | None:
        if len(self._buffer) < _HEADER.size:
            return None
        kind, length = _HEADER.unpack_from(self._buffer)
        if length > _LARGEST:
            raise ProtocolError(f"a message of {length} bytes is longer than {_LARGEST}")
        if len(self._buffer) < _HEADER.size + length:
            return None
        content = bytes(self._buffer[_HEADER.size : _HEADER.size + length])
        del self._buffer[: _HEADER.size + length]
        return kind, content

    def _fill(self) -> bool:
        try:
            received = self.connection.recv(1 << 18)
        except ConnectionResetError:
            return False
        self._buffer += received
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


def decode(content: bytes) -> dict[str, Any]:
    """The JSON object of a message."""
    try:
        decoded = json.loads(content)
    except ValueError as problem:
        raise ProtocolError(f"a message isn't JSON: {problem}") from problem
    if not isinstance(decoded, dict):
        raise ProtocolError("a message isn't a JSON object")
    return decoded
