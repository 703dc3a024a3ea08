"""The shim's side of a command: send the request and the checkout, then carry input, output and signals."""

import errno
import os
import selectors
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

from isolation import protocol
from isolation.protocol import Channel


class ExecutorError(Exception):
    """No worker runs the command, or its worker ended in the middle of it."""


class Outcome:
    """How a command ended on one worker."""

    def __init__(self) -> None:
        self.code = 1
        """The exit code, negative for the signal that ended it."""
        self.files: dict[str, bytes] = {}
        """The files that came back, by their path relative to the checkout's root."""
        self.message = ""
        """What the executor reports, for standard error."""
        self.started = False
        """Whether the command may have run."""
        self.ended = False
        """Whether the executor has reported the end. Otherwise the worker, its task or the network has ended, or nothing came for long."""
        self.full = False
        """Whether the worker takes no command now; nothing ran."""
        self.again = False
        """Whether the command was ended because its worker ends."""
        self.interrupted = False
        """Whether this process was asked to interrupt the command."""


def run(connection: socket.socket, request: Mapping[str, Any], send: Callable[[Channel], object]) -> Outcome:
    """Run a command on the executor behind `connection`; `send` sends the checkout.

    INT, TERM and HUP interrupt a plan, and its end is waited for; a plan whose connection ends is interrupted, too. Only INT
    interrupts an apply: the others come from a server that is stopped, and an apply outlives it.
    """
    outcome = Outcome()
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: None)
    channel = Channel(connection)
    channel.keep_alive()
    try:
        channel.send_json(protocol.REQUEST, {"protocol": protocol.VERSION, **request})
        send(channel)
    except OSError as problem:
        # The executor refused before it had read everything, and its answer has the reason; or it is gone.
        if problem.errno not in {errno.EPIPE, errno.ECONNRESET}:
            raise
    stops = {signal.SIGINT} if request["role"] == "apply" else {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    try:
        _attend(channel, outcome, reader, stops)
    finally:
        channel.leave()
    return outcome


def _attend(channel: Channel, outcome: Outcome, signals: int, stops: set[signal.Signals]) -> None:
    current = ""
    selector = selectors.DefaultSelector()
    selector.register(channel.connection, selectors.EVENT_READ)
    selector.register(signals, selectors.EVENT_READ)
    messages: list[tuple[bytes, bytes] | None] = list(channel.waiting())
    while True:
        for message in messages:
            if message is None:
                return
            current = _take(channel, outcome, current, *message)
            if outcome.ended:
                return
            if message[0] == protocol.READY and not _watch_input(selector):
                _send(channel, protocol.INPUT_END)
        messages = []
        for key, _ in selector.select():
            # The heartbeats' timer is among the signals.
            if key.fd == signals and stops & set(os.read(signals, 64)):
                outcome.interrupted = True
                if outcome.started:
                    _send(channel, protocol.INTERRUPT)
            elif key.fd == 0:
                content = os.read(key.fd, 1 << 16)
                _send(channel, protocol.INPUT if content else protocol.INPUT_END, content)
                if not content:
                    selector.unregister(key.fd)
            elif key.fd == channel.connection.fileno():
                messages += channel.available()
        # A heartbeat's signal may have read some.
        messages += channel.waiting()


def _take(channel: Channel, outcome: Outcome, current: str, kind: bytes, content: bytes) -> str:
    """Handle one message; returns the path of the file whose content comes next."""
    if kind == protocol.EXIT:
        ended = protocol.decode(content)
        outcome.code, outcome.message = ended["code"], ended.get("message", "")
        outcome.full, outcome.again = ended.get("full", False), ended.get("again", False)
        outcome.ended = True
        _send(channel, protocol.ACKNOWLEDGE)
    elif kind == protocol.READY:
        outcome.started = True
        if outcome.interrupted:
            _send(channel, protocol.INTERRUPT)
    elif kind in {protocol.OUTPUT, protocol.ERROR_OUTPUT}:
        _write(1 if kind == protocol.OUTPUT else 2, content)
    elif kind == protocol.FILE:
        current = protocol.decode(content)["path"]
        outcome.files[current] = b""
    elif kind == protocol.DATA:
        outcome.files[current] += content
    else:
        raise protocol.ProtocolError(f"the executor sent a message of the unknown kind {kind!r}")
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
