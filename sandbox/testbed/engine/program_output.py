"""Forwards a program's output to the engine, which reads only the output of plugins that it started."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2

__all__ = ["forwarded_output", "without_debug_messages"]

# Seconds to wait for processes that the program started and that still have its output open.
_PATIENCE = 2.0


@contextmanager
def forwarded_output(engine: Any) -> Iterator[None]:
    """Send each line that this process and its children print to ``engine`` (an ``EngineStub``)."""
    readers = []
    kept = []
    for stream, descriptor in enumerate((1, 2), start=1):
        reading, writing = os.pipe()
        kept.append(os.dup(descriptor))
        os.dup2(writing, descriptor)
        os.close(writing)
        reader = threading.Thread(target=_forward, args=(engine, reading, stream), daemon=True)
        reader.start()
        readers.append(reader)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, former in enumerate(kept, start=1):
            os.dup2(former, descriptor)
            os.close(former)
        for reader in readers:
            reader.join(_PATIENCE)


def without_debug_messages(engine: Any) -> None:
    """Keep debug messages from ``engine`` (an ``EngineStub``), which shows them with ``--debug`` only.

    The SDK sends three for each resource, and the program waits for each.
    """
    send = engine.Log

    def log(request: engine_pb2.LogRequest, *arguments: Any, **options: Any) -> Any:
        return None if request.severity == engine_pb2.DEBUG else send(request, *arguments, **options)

    engine.Log = log


def _forward(engine: Any, reading: int, stream: int) -> None:
    with open(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, streamId=stream))
            except grpc.RpcError:
                return  # the engine has exited
