"""Plugins that start beside the engine and are ready when it asks: it would start each late, and wait for it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sandbox.paths import CHECKOUT

__all__ = ["Attached", "start"]

_PATIENCE = 15.0


@dataclass(frozen=True)
class Attached:
    """What the engine needs of them: variables that say where they are, and descriptors to inherit."""

    environment: dict[str, str] = field(default_factory=dict)
    descriptors: list[int] = field(default_factory=list)


@contextmanager
def start(providers: Sequence[str], environment: Mapping[str, str], *, language: bool) -> Iterator[Attached]:
    """Run the stand-ins of ``providers``, and the language host, until the block ends or the engine has ended.

    The engine inherits one end of a pipe, their lifeline; they see it close even where this process was killed. One
    process serves any number of the engine's provider resources: it tells them apart by their connections.
    """
    with ExitStack() as running:
        ended, held = os.pipe()
        try:

            def begin(*module: str) -> int:
                return running.enter_context(_process(module, ended, environment))

            variables = {}
            if language:
                variables["PULUMI_DEBUG_LANGUAGES"] = f"python:{begin('sandbox.language_server')}"
            if providers:
                ports = {provider: begin("sandbox.providers", provider) for provider in providers}
                variables["PULUMI_DEBUG_PROVIDERS"] = ",".join(f"{name}:{port}" for name, port in ports.items())
            yield Attached(variables, [held])
        finally:
            os.close(held)
            os.close(ended)


@contextmanager
def _process(module: Sequence[str], lifeline: int, environment: Mapping[str, str]) -> Iterator[int]:
    """One plugin; the port that it serves, or soon will."""
    with socket.socket() as reservation:
        # Bound and not listening: nothing else gets the port, and gRPC's servers can, which set the same option.
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind(("127.0.0.1", 0))
        port = reservation.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", *module, f"--port={port}", f"--lifeline={lifeline}"],
            cwd=CHECKOUT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[lifeline],
            start_new_session=True,  # Ctrl-C is the engine's to pass on
        )
        try:
            yield port
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
