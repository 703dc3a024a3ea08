"""The process of one stand-in or several: their servers, and their end."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent import futures

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.plugin_start import SERVER_OPTIONS, Start
from sandbox.providers.package import Package
from sandbox.providers.server import ProviderService

_WORKERS = 32


def serve(packages: Sequence[Callable[[], Package]], start: Start) -> None:
    """Serve each on a port of 127.0.0.1, print the ports, and end on a signal or when the engine is gone.

    Calls that are under way are finished first, so that nothing is made without being noted in the journal.
    """
    # Not an event, whose lock the interrupted thread may hold.
    ending: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.put(None))
    start.when_engine_is_gone(lambda: ending.put(None))
    services = [ProviderService(make) for make in packages]
    servers = [_server(service, port) for service, port in zip(services, start.ports, strict=True)]
    sys.stdout.flush()
    threading.Thread(target=lambda: [service.load() for service in services], name="load", daemon=True).start()
    ending.get()
    for service in services:
        service.cancel()
    for stopping in [server.stop(grace=None) for server in servers]:
        stopping.wait()


def _server(service: ProviderService, wanted: int) -> grpc.Server:
    """A server on the port ``wanted``, or a free one, which has been written to standard output."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=_WORKERS),
        options=SERVER_OPTIONS,
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{wanted}")
    server.start()
    sys.stdout.write(f"{port}\n")
    return server
