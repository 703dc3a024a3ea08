"""Hosting components on the SDK's own provider service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import grpc.aio
import pulumi
from google.protobuf import empty_pb2
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.providers import awsx

_MESSAGE_LIMIT = 400 * 1024 * 1024


class Components(Provider):
    """The component types by name."""

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Make one component."""
        if resource_type != awsx.VPC:
            raise NotImplementedError(
                f"the sandbox's stand-in for the awsx provider does not know the component type {resource_type}; it knows "
                f"{awsx.VPC}. Add it in sandbox/providers/awsx.py, or install the official plugin"
            )
        return awsx.construct(name, inputs, options or pulumi.ResourceOptions())


class Service(ProviderServicer):
    """The SDK's service, with what the engine asks of a provider besides components."""

    async def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: N802
        """Say what this provider understands."""
        del request, context
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    async def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """The component has no settings of its own."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Nothing depends on settings."""
        del request, context
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Called for a provider that was already running."""
        self.engine_address = request.address
        del context
        return empty_pb2.Empty()


def run(version: str, engine: str, stop: threading.Event, announce: Callable[[int], None]) -> None:
    """Serve until `stop` is set."""

    async def serve() -> None:
        limits = [("grpc.max_receive_message_length", _MESSAGE_LIMIT), ("grpc.max_send_message_length", _MESSAGE_LIMIT)]
        server = grpc.aio.server(options=limits)
        service = Service(Components(version), [], engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        announce(port)
        while not stop.is_set():
            await asyncio.sleep(0.1)
        await server.stop(grace=None)

    asyncio.run(serve())
