"""The program of a worker's container `tls`: takes connections of the server's task and hands them to the executor."""

import argparse
import os
import sys

from isolation import paths, tls

__all__ = ["main"]


def main() -> None:
    """Become stunnel; doesn't return. Its environment has nothing of this process'."""
    parser = argparse.ArgumentParser(prog="tls-end", description=__doc__, allow_abbrev=False)
    parser.add_argument("--port", type=int, required=True, help="the port to listen on")
    parser.add_argument("--address", default="0.0.0.0", help="the address to listen on")  # noqa: S104 its security group decides
    arguments = parser.parse_args()
    try:
        tls.server(
            tls.Key(os.environ.pop("WORKERS_KEY", "")), f"{arguments.address}:{arguments.port}", paths.EXECUTOR_SOCKET
        )
    except (tls.TlsError, OSError) as problem:
        sys.exit(f"The TLS end can't start: {problem}")
