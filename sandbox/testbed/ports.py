"""Free ports of loopback. None is ephemeral: the kernel gives those away between the search and the use."""

import secrets
import socket

from sandbox.testbed.errors import SandboxError

_LOWEST, _EPHEMERAL = 10_000, 32_768
"""Linux' ephemeral ports begin at 32768 (`net.ipv4.ip_local_port_range`), those of macOS at 49152."""
_ATTEMPTS = 100


def free_port(preferred: int = 0) -> int:
    """Return a free loopback port: ``preferred`` if no process listens on it, or else a random one."""
    drawn = (_LOWEST + secrets.randbelow(_EPHEMERAL - _LOWEST) for _ in range(_ATTEMPTS))
    for candidate in (*([preferred] if preferred else []), *drawn):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    raise SandboxError("No loopback port is free on this machine")
