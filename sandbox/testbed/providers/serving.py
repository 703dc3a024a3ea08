"""The process of one or several stand-ins: starts their servers and shuts them down."""

from __future__ import annotations

import gc
import importlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.testbed.plugin_start import SERVER_OPTIONS, Start
from sandbox.testbed.providers.package import Package
from sandbox.testbed.providers.server import ProviderService

_PACKAGES = {
    "aws": ("sandbox.testbed.providers.aws.package", "AwsPackage"),
    "random": ("sandbox.testbed.providers.passwords", "RandomPackage"),
}
_COMPONENTS = "awsx"
NAMES = (*_PACKAGES, _COMPONENTS)
"""The stand-ins' names."""
_WORKERS = 32


def serve(names: Sequence[str], start: Start) -> NoReturn:
    """Serve each stand-in on a port of 127.0.0.1 and print the ports. Exit on a signal or when the engine exits.

    Calls in progress are completed first, so that every created object is recorded as pending. Components have no state,
    and one that waits for an engine that has exited would never finish: they end with the process.
    """
    # The process lives as long as one run of the engine, and the SDK's objects, half of whose import it would take, as long.
    gc.disable()
    # Not a threading.Event: the signal handler could deadlock on the lock that the interrupted thread holds.
    ending: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.put(None))
    start.when_engine_is_gone(lambda: ending.put(None))
    ports = dict(zip_longest(names, start.ports, fillvalue=0))
    services = {name: ProviderService(_package(name)) for name in names if name != _COMPONENTS}
    calls = ThreadPoolExecutor(max_workers=_WORKERS)
    servers = [_server(service, ports[name], calls) for name, service in services.items()]
    sys.stdout.flush()
    if _COMPONENTS in ports:
        _in_background(lambda: _serve_components(ports[_COMPONENTS], start.engine))
    _in_background(lambda: [service.load() for service in services.values()])
    ending.get()
    for service in services.values():
        service.cancel()
    for stopping in [server.stop(grace=None) for server in servers]:
        stopping.wait()
    calls.shutdown()
    # Skip Python's cleanup of the schemas, which delays every run of the engine by 0.2 seconds.
    sys.stderr.flush()
    os._exit(0)


def _package(name: str) -> Callable[[], Package]:
    module, kind = _PACKAGES[name]
    return getattr(importlib.import_module(module), kind)


def _server(service: ProviderService, wanted: int, calls: ThreadPoolExecutor) -> grpc.Server:
    """A server on the port `wanted` (0: any free port). Its port is written to standard output."""
    server = grpc.server(calls, options=SERVER_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{wanted}")
    server.start()
    sys.stdout.write(f"{port}\n")
    return server


def _serve_components(port: int, engine: str) -> None:
    # Importing the components takes a second or more, in which a signal must end the process.
    importlib.import_module("sandbox.testbed.providers.awsx.server").run(port, engine)


def _in_background(action: Callable[[], object]) -> None:
    threading.Thread(target=action, daemon=True).start()
