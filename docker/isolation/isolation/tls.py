"""The connections between the server's task and the workers: stunnel, TLS 1.3 with a key that both have (PSK).

stunnel gets its configuration and the key from descriptors, so no file and no environment has them.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from isolation import paths

_IDENTITY = "workers"
_SHORTEST = 32
_LONGEST_COMMAND = 24 * 3600

# A client of TLS 1.3 also accepts a server that answers with a certificate instead of the key, and stunnel checks certificates only if
# it has some to compare them with. This is one that nobody can use: its public key is the SHA-256 hash of the text below, so there is
# no private key.
NOBODY = "no worker has a certificate"
NOBODYS_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBITCB1KADAgECAgEBMAUGAytlcDAPMQ0wCwYDVQQDDARub25lMCAXDTI2MTIw
MTIxMTcwOVoYDzIxMjYxMTA3MjExNzA5WjAPMQ0wCwYDVQQDDARub25lMCowBQYD
K2VwAyEA/58HGPO+aPSVGuSS9KTIMrokLL94R88gQDslLPza7mWjUzBRMB0GA1Ud
DgQWBBTVmf2u7bRYS5gkENMYSx8cqwWlhjAfBgNVHSMEGDAWgBTVmf2u7bRYS5gk
ENMYSx8cqwWlhjAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBAMJoJh6buyFdyzng
Xn736EwuXKbNpi+OapR2g286vcHVbvtQV8rTxahIhUtaIqq06ng851mzeBpmn/23
YIJRYQ4=
-----END CERTIFICATE-----
"""


class TlsError(Exception):
    """There can be no connection; the message says what to do."""


class Key:
    """The key of all workers of a stack, in files that exist only as descriptors of this process."""

    def __init__(self, key: str) -> None:
        if not (key.isascii() and key.isprintable()) or ":" in key or len(key) < _SHORTEST:
            raise TlsError(
                f"WORKERS_KEY has {len(key)} characters; it must be {_SHORTEST} or more printable ones of ASCII without a colon. "
                "Check the secret's value"
            )
        if not (program := shutil.which("stunnel")):
            raise TlsError("the image has no stunnel: build the image of docker/ again and set imageTag")
        self.program = program
        self._secrets = _file("key", f"{_IDENTITY}:{key}\n")
        self._nobody = _file("certificate", NOBODYS_CERTIFICATE)

    def settings(self, **more: str) -> tuple[int, tuple[int, ...]]:
        """A descriptor with stunnel's configuration, and those that it refers to. `more` are settings of this end."""
        common = {
            "PSKsecrets": _path(self._secrets),
            "CAfile": _path(self._nobody),
            "sslVersionMin": "TLSv1.3",
            # An interrupted command has its own limits, and heartbeats show a connection that is dead.
            "TIMEOUTidle": str(_LONGEST_COMMAND),
            "TIMEOUTclose": "10",
            **more,
        }
        if "client" in more:
            common |= {"PSKidentity": _IDENTITY, "verifyPeer": "yes"}
        lines = ["foreground = yes", "pid =", "syslog = no", "debug = err"]
        # Standard input and output are the client's connection; a server has a named section.
        lines += [
            *([] if "client" in more else ["[executor]"]),
            *(f"{name} = {value}" for name, value in common.items()),
        ]
        return _file("configuration", "\n".join([*lines, ""])), (self._secrets, self._nobody)


def client(key: Key, address: str, connection: socket.socket) -> "subprocess.Popen[bytes]":
    """Connect `connection` with the executor behind `address`; its standard error has what stunnel reports."""
    configuration, others = key.settings(client="yes", connect=address, TIMEOUTconnect="10")
    try:
        return subprocess.Popen(
            [key.program, "-fd", str(configuration)],
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.PIPE,
            env={},
            pass_fds=(configuration, *others),
        )
    finally:
        os.close(configuration)


def server(key: Key, address: str, target: Path) -> None:
    """Become the server that listens on `address` and connects to the Unix socket `target`; doesn't return."""
    configuration, others = key.settings(accept=address, connect=str(target))
    for descriptor in (configuration, *others):
        os.set_inheritable(descriptor, True)
    os.execve(key.program, [key.program, "-fd", str(configuration)], {})  # noqa: S606


def main() -> None:
    """Take connections of the server's task and hand them to the executor: the program of a worker's container `tls`."""
    parser = argparse.ArgumentParser(prog="tls-end", description=main.__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--address", default="0.0.0.0", help="the address to listen on")  # noqa: S104 its security group decides
    arguments = parser.parse_args()
    try:
        server(Key(os.environ.pop("WORKERS_KEY", "")), f"{arguments.address}:{arguments.port}", paths.EXECUTOR_SOCKET)
    except (TlsError, OSError) as problem:
        sys.exit(f"The TLS end can't start: {problem}")


def _file(name: str, content: str) -> int:
    descriptor = os.memfd_create(name)
    os.fchmod(descriptor, 0o600)
    os.write(descriptor, content.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"
