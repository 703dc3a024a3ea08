"""The process of the Python language host: ``pulumi-language-python``.

It listens before the SDK is loaded: an engine that attaches (``sandbox.testbed.engine.attached``) and can't connect waits a
second before it retries.
"""

import gc
import os
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from sandbox.testbed import plugin_start
from sandbox.testbed.paths import CHECKOUT


class _Loading(grpc.GenericRpcHandler):
    """Blocks calls until the service that handles them is loaded."""

    def __init__(self) -> None:
        self._loaded = threading.Event()
        self._handlers: list[grpc.GenericRpcHandler] = []

    def service(self, handler_call_details: Any) -> Any:
        """Find the handler of a call."""
        self._loaded.wait()
        found = (handler.service(handler_call_details) for handler in self._handlers)
        return next((method for method in found if method is not None), None)

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Implements the method of ``grpc.Server`` with which the generated code adds a service."""
        self._handlers.extend(handlers)
        self._loaded.set()

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        """Implements the method of ``grpc.Server``; the generic handlers find the same methods."""


def main(arguments: list[str]) -> None:
    """Serve until the engine exits; see ``sandbox.testbed.plugin_start`` for the arguments."""
    # Importing pulumi_aws creates some 200,000 objects. Garbage collection would take a sixth of the import's time.
    gc.disable()
    start = plugin_start.parse(arguments)
    loading: Any = _Loading()
    server = grpc.server(ThreadPoolExecutor(max_workers=8), handlers=[loading], options=plugin_start.SERVER_OPTIONS)
    port = server.add_insecure_port(f"127.0.0.1:{start.ports[0]}")
    start.when_engine_is_gone(lambda: os._exit(0))
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()

    from pulumi.runtime.proto import language_pb2_grpc  # noqa: PLC0415

    from sandbox.testbed.engine.language_host import LanguageHost  # noqa: PLC0415

    # A program elsewhere must not import the checkout's modules. The program's own folder is added when it runs.
    sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != CHECKOUT]
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(start), loading)
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
