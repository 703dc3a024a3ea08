"""The process of one or several stand-ins: starts their servers and shuts them down."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugin_start import SERVER_OPTIONS, Start
from sandbox.providers.package import Package
from sandbox.providers.server import ProviderService

_WORKERS = 32


def serve(packages: Sequence[Callable[[], Package]], start: Start) -> NoReturn:
    """Serve each package on a port of 127.0.0.1 and print the ports. Exit on a signal or when the engine exits.

    Calls in progress are completed first, so that every created object is recorded as pending.
    """
    # Not a threading.Event: the signal handler could deadlock on the lock that the interrupted thread holds.
    ending: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.put(None))
    start.when_engine_is_gone(lambda: ending.put(None))
    services = [ProviderService(make) for make in packages]
    calls = ThreadPoolExecutor(max_workers=_WORKERS)
    servers = [_server(service, port, calls) for service, port in zip(services, start.ports, strict=True)]
    sys.stdout.flush()
    threading.Thread(target=lambda: [service.load() for service in services], name="load", daemon=True).start()
    ending.get()
    for service in services:
        service.cancel()
    for stopping in [server.stop(grace=None) for server in servers]:
        stopping.wait()
    calls.shutdown()
    # Skip Python's cleanup of the schemas, which delays every run of the engine by 0.2 seconds.
    sys.stderr.flush()
    os._exit(0)


def _server(service: ProviderService, wanted: int, calls: ThreadPoolExecutor) -> grpc.Server:
    """A server on the port `wanted` (0: any free port). Its port is written to standard output."""
    server = grpc.server(calls, options=SERVER_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{wanted}")
    server.start()
    sys.stdout.write(f"{port}\n")
    return server
