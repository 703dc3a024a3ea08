"""The process of one stand-in or several: their servers, and their end."""

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

from sandbox.engine.plugin_start import SERVER_OPTIONS, Start
from sandbox.providers.package import Package
from sandbox.providers.server import ProviderService

_WORKERS = 32


def serve(packages: Sequence[Callable[[], Package]], start: Start) -> NoReturn:
    """Serve each on a port of 127.0.0.1, print the ports, and end the process on a signal or when the engine is gone.

    Calls that are under way are finished first, so that nothing is made without being recorded as pending.
    """
    # Not an event, whose lock the interrupted thread may hold.
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
    # Python would take the schemas apart first, for which every run of the engine waits a fifth of a second.
    sys.stderr.flush()
    os._exit(0)


def _server(service: ProviderService, wanted: int, calls: ThreadPoolExecutor) -> grpc.Server:
    """A server on the port ``wanted``, or a free one, which has been written to standard output."""
    server = grpc.server(calls, options=SERVER_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{wanted}")
    server.start()
    sys.stdout.write(f"{port}\n")
    return server
