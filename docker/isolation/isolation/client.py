"""The shim's side of a command: send the request and the checkout, then carry input, output and signals."""

import errno
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isolation import protocol
from isolation.protocol import Channel

__all__ = ["ExecutorError", "Outcome", "ping", "run"]

_STARTS_WITHIN = 30
"""Seconds in which an executor that was restarted is expected to listen again."""


class ExecutorError(Exception):
    """The executor doesn't answer, or ended in the middle of a command."""


class Outcome:
    """How a command ended."""

    def __init__(self) -> None:
        self.code = 1
        """The exit code, negative for the signal that ended it."""
        self.files: dict[str, bytes] = {}
        """The files that came back, by their path relative to the checkout's root."""
        self.message = ""
        """What the executor has to say, for standard error."""


def ping(path: Path, patience: float) -> str:
    """What is wrong with the executor that listens at `path`; empty if nothing is. Waits `patience` seconds for it."""
    try:
        with _connected(path, patience) as connection:
            channel = Channel(connection)
            channel.send_json(protocol.REQUEST, {"protocol": protocol.VERSION, "kind": "ping"})
            channel.send(protocol.END)
            answer = channel.receive()
    except (ExecutorError, OSError, protocol.ProtocolError) as problem:
        return str(problem)
    if answer is None or answer[0] != protocol.EXIT:
        return "the executor closed the connection"
    ended = protocol.decode(answer[1])
    return "" if ended["code"] == 0 else ended["message"]


def run(path: Path, request: Mapping[str, Any], send: Callable[[Channel], object]) -> Outcome:
    """Run a command on the executor that listens at `path`; `send` sends the checkout.

    INT, TERM and HUP interrupt the command, and its end is waited for. If this process is killed, the executor sees the
    connection end and interrupts the command as well.
    """
    interrupted = []
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: interrupted.append(received))
    with _connected(path, _STARTS_WITHIN) as connection:
        channel = Channel(connection)
        try:
            channel.send_json(protocol.REQUEST, {"protocol": protocol.VERSION, **request})
            send(channel)
        except OSError as problem:
            # The executor refused before it had read everything; its answer says why.
            if problem.errno not in {errno.EPIPE, errno.ECONNRESET}:
                raise
        return _attend(channel, reader)


def _connected(path: Path, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError as problem:
            connection.close()
            if time.monotonic() > deadline:
                raise ExecutorError(
                    f"the container doesn't answer at {path} ({problem.strerror}): the log stream of that container has the reason"
                ) from problem
            time.sleep(0.1)
        else:
            return connection


def _attend(channel: Channel, signals: int) -> Outcome:
    outcome = Outcome()
    current = ""
    selector = selectors.DefaultSelector()
    selector.register(channel.connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fd == signals:
                os.read(signals, 64)
                _send(channel, protocol.INTERRUPT)
            elif key.fd == 0:
                content = os.read(key.fd, 1 << 16)
                _send(channel, protocol.INPUT if content else protocol.INPUT_END, content)
                if not content:
                    selector.unregister(key.fd)
            else:
                for message in channel.available():
                    if message is None:
                        raise ExecutorError("the container ended while the command ran: its log stream has the reason")
                    kind, content = message
                    if kind == protocol.EXIT:
                        ended = protocol.decode(content)
                        outcome.code, outcome.message = ended["code"], ended.get("message", "")
                        return outcome
                    if kind == protocol.READY:
                        selector.register(signals, selectors.EVENT_READ)
                        if not _watch_input(selector):
                            _send(channel, protocol.INPUT_END)
                        continue
                    current = _take(outcome, current, kind, content)


def _take(outcome: Outcome, current: str, kind: bytes, content: bytes) -> str:
    """Handle one message; returns the path of the file whose content comes next."""
    if kind in {protocol.OUTPUT, protocol.ERROR_OUTPUT}:
        _write(1 if kind == protocol.OUTPUT else 2, content)
    elif kind == protocol.FILE:
        current = protocol.decode(content)["path"]
        outcome.files[current] = b""
    elif kind == protocol.DATA:
        outcome.files[current] += content
    else:
        raise ExecutorError(f"the executor sent a message of the unknown kind {kind!r}")
    return current


def _watch_input(selector: selectors.BaseSelector) -> bool:
    """Watch standard input; False if it is closed or can't be watched, as a file can't."""
    try:
        selector.register(0, selectors.EVENT_READ)
    except (OSError, ValueError):
        return False
    return True


def _send(channel: Channel, kind: bytes, content: bytes = b"") -> None:
    try:
        channel.send(kind, content)
    except OSError as problem:
        # The command has ended already; how comes next.
        if problem.errno not in {errno.EPIPE, errno.ECONNRESET}:
            raise


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
