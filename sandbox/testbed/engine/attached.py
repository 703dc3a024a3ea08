"""Plugins that start in parallel with the engine. The engine itself would start each on first use and wait for it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sandbox.testbed import processes
from sandbox.testbed.paths import CHECKOUT

_PATIENCE = 15.0


@dataclass(frozen=True)
class Attached:
    """What the engine needs to attach: environment variables with the addresses, and file descriptors to inherit."""

    environment: dict[str, str] = field(default_factory=dict)
    descriptors: list[int] = field(default_factory=list)


@contextmanager
def start(providers: Sequence[str], environment: Mapping[str, str], *, language: bool) -> Iterator[Attached]:
    """Run the stand-ins of ``providers`` and, with ``language``, the language host until the block or the engine exits.

    The engine inherits one end of a pipe, the plugins' lifeline. They see it close even if this process was killed. One
    process serves any number of the engine's provider resources, which it distinguishes by their connections.
    """
    with ExitStack() as running:
        ended, held = os.pipe()
        try:

            def begin(plugins: Sequence[str], *module: str) -> list[str]:
                """Start one process for all ``plugins``. Returns ``plugin:port`` for each, as the engine expects it."""
                ports = [running.enter_context(_reserved_port()) for _ in plugins]
                running.enter_context(_process(module, ports, ended, environment))
                return [f"{plugin}:{port}" for plugin, port in zip(plugins, ports, strict=True)]

            variables = {}
            if language:
                variables["PULUMI_DEBUG_LANGUAGES"] = begin(["python"], "sandbox.testbed.engine.language_server")[0]
            if providers:
                # In one process, because each imports the SDK.
                addresses = begin(providers, "sandbox.testbed.providers", ",".join(providers))
                variables["PULUMI_DEBUG_PROVIDERS"] = ",".join(addresses)
            yield Attached(variables, [held])
        finally:
            os.close(held)
            os.close(ended)


@contextmanager
def _reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is bound without listening: no other program gets it, but a gRPC server can bind it."""
    with socket.socket() as reservation:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # gRPC's servers set it too
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
        start_new_session=True,  # so that Ctrl-C reaches the engine and not the plugins
    )
    try:
        yield
    finally:
        processes.end_child(process, _PATIENCE)
