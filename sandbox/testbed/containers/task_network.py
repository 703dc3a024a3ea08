"""The network of a task that a security group closes: a network namespace, whose only ways in and out are relays.

Inwards, connections to the task's address on this machine reach the task's port. Outwards, the ports of `outward` exist on the
namespace's loopback and lead to the same ports of this machine's. Everything else, such as another task's address, doesn't exist.

`python -m sandbox.testbed.containers.task_network` is the process that holds the namespace. It ends with the task agent.
"""

import argparse
import asyncio
import contextlib
import ctypes
import fcntl
import functools
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable
from typing import Final, Self

from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.paths import CHECKOUT

_LOOPBACK = "127.0.0.1"
_ATTEMPTS: Final = 64
_CHUNK: Final = 1 << 16
_BACKLOG: Final = 512
# From linux/sched.h, linux/sockios.h and linux/if.h.
_CLONE_NEWNET, _SIOCSIFFLAGS, _SIOCSIFNETMASK, _IFF_UP = 0x40000000, 0x8914, 0x891C, 0x1


class TaskNetworkNamespace:
    """A namespace whose ``port`` is reached at ``address``, a loopback address of this machine that no other task has."""

    def __init__(self, port: int, outward: Iterable[int]) -> None:
        with _free_address(port) as listener:
            self.address: str = listener.getsockname()[0]
            words = [
                *(f"--outward={each}" for each in sorted(set(outward))),
                f"--inward={listener.fileno()}",
                f"--port={port}",
            ]
            self._process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                cwd=CHECKOUT,
                start_new_session=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        said = self._process.stdout.readline()
        if not said:
            self.close()
            raise TaskStartError(f"the task's network can't be made: {why_not() or 'its process ended'}")
        self.pid = int(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def enter(self) -> list[str]:
        """The words in front of a command that run it in this namespace."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]

    def close(self) -> None:
        """End the relays."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._process.wait()


@functools.cache
def why_not() -> str:
    """Why this machine can't separate the networks of tasks; empty if it can."""
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def main() -> None:
    """Make the namespace, print the ID of the process in it, and relay until standard input closes."""
    parser = argparse.ArgumentParser(prog="task_network")
    parser.add_argument(
        "--inward", type=int, required=True, help="descriptor of the socket that listens on this machine"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--outward", type=int, action="append", default=[])
    options = parser.parse_args()
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _enter_namespace()
        listeners = [_listening(_LOOPBACK, port) for port in options.outward]
        # Descriptors keep the namespace in which they were made.
        socket.send_fds(theirs, [b"!"], [listener.fileno() for listener in listeners])
        inward = socket.socket(fileno=options.inward)
        asyncio.run(_relay([(inward, options.port)]))
        os._exit(0)
    theirs.close()
    signal.signal(signal.SIGCHLD, lambda _number, _frame: os._exit(1))
    _, descriptors, _, _ = socket.recv_fds(ours, 1, len(options.outward))
    os.close(options.inward)
    if len(descriptors) != len(options.outward):
        sys.exit("the namespace couldn't be made")
    print(child, flush=True)
    outward = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    try:
        asyncio.run(_relay(list(zip(outward, options.outward, strict=True))))
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.kill(child, signal.SIGKILL)


def _free_address(port: int) -> socket.socket:
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(OSError):
            return _listening(f"127.77.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}", port)
    raise TaskStartError(f"no address of 127.77.0.0/16 has a free port {port}")


def _listening(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _enter_namespace() -> None:
    """Move this process into a new namespace, and bring its loopback up. Python has `os.unshare` from 3.12."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
        # Of 127.0.0.0/8, it has 127.0.0.1 only: the others are addresses of tasks.
        mask = socket.inet_aton("255.255.255.255")
        fcntl.ioctl(any_socket, _SIOCSIFNETMASK, struct.pack("16sHH4s16x", b"lo", socket.AF_INET, 0, mask))


async def _relay(ways: list[tuple[socket.socket, int]]) -> None:
    """Connect what each socket accepts to its port of this process's loopback, until standard input closes."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(0, lambda: os.read(0, 1) or (loop.remove_reader(0), ended.set()))

    servers = [
        await asyncio.start_server(functools.partial(_connect, port), sock=listener, limit=_CHUNK, backlog=_BACKLOG)
        for listener, port in ways
    ]
    await ended.wait()
    for server in servers:
        server.close()
    os._exit(0)


_connections: set["asyncio.Task[None] | None"] = set()
"""asyncio itself has only weak references to tasks."""


async def _connect(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _connections.add(task := asyncio.current_task())
    try:
        await _connected(port, reader, writer)
    finally:
        _connections.discard(task)


async def _connected(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there, back = await asyncio.open_connection(_LOOPBACK, port, limit=_CHUNK)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(_copy(reader, back), _copy(there, writer))
    for end in (writer, back):
        end.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        # A connection that broke must not look like one that ended.
        writer.transport.abort()


if __name__ == "__main__":
    main()
