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

            def begin(plugins: Sequence[str], *module: str) -> list[str]:
                """Start one process for all ``plugins``; each with its port as the engine wants it."""
                ports = [running.enter_context(_reserved_port()) for _ in plugins]
                running.enter_context(_process(module, ports, ended, environment))
                return [f"{plugin}:{port}" for plugin, port in zip(plugins, ports, strict=True)]

            variables = {}
            if language:
                variables["PULUMI_DEBUG_LANGUAGES"] = begin(["python"], "sandbox.engine.language_server")[0]
            # awsx runs the SDK, of which a process has one; the others share what they load.
            together = [["awsx"] if "awsx" in providers else [], [name for name in providers if name != "awsx"]]
            begun = [begin(names, "sandbox.providers", ",".join(names)) for names in together if names]
            if begun:
                variables["PULUMI_DEBUG_PROVIDERS"] = ",".join(address for addresses in begun for address in addresses)
            yield Attached(variables, [held])
        finally:
            os.close(held)
            os.close(ended)


@contextmanager
def _reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is bound and not listened on: nothing else gets it, and gRPC's servers can."""
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as gRPC's servers do
        reservation.bind(("127.0.0.1", 0))
        yield reservation.getsockname()[1]


@contextmanager
def _process(
    module: Sequence[str], ports: Sequence[int], lifeline: int, environment: Mapping[str, str]
) -> Iterator[None]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", *module),
            *(f"--port={port}" for port in ports),
            f"--lifeline={lifeline}",
        ],
        cwd=CHECKOUT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[lifeline],
        start_new_session=True,  # Ctrl-C is the engine's to pass on
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
