"""Serves components with the SDK's provider service."""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import sys
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
import pulumi
from google.protobuf import empty_pb2
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.testbed.plugin_start import SERVER_OPTIONS
from sandbox.testbed.providers import schema
from sandbox.testbed.providers.awsx.layout import VPC, check
from sandbox.testbed.providers.published_schema import package_schema

_COMPONENTS = "sandbox.testbed.providers.awsx.vpc"


class Components(Provider):
    """The component types that the stand-in provides."""

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Create one component."""
        if resource_type != VPC:
            raise NotImplementedError(
                f"the sandbox's stand-in for the awsx provider does not know the component type {resource_type}; it knows "
                f"{VPC}. Add it in sandbox/testbed/providers/awsx/, or install the official plugin"
            )
        found = list(check(inputs))
        if found:
            details = [InputPropertyErrorDetails(property_path=path, reason=reason) for path, reason in found]
            raise InputPropertiesError(f"{VPC} {name!r}", details)
        component = importlib.import_module(_COMPONENTS).Vpc(name, inputs, options or pulumi.ResourceOptions())
        return ConstructResult(component.urn, component.outputs)


class Service(ProviderServicer):
    """The SDK's service, with the methods that the engine calls in addition to those for components."""

    async def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: N802
        """Return this provider's capabilities."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    async def Construct(self, request: Any, context: Any) -> provider_pb2.ConstructResponse:  # noqa: N802
        """Create a component. Cancel must be answered while the SDK is imported, which takes a second or more."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, importlib.import_module, _COMPONENTS)
        return await super().Construct(request, context)

    async def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        """The schema of the component, from the SDK's class."""
        version = self.provider.version or ""
        schemas = schema.load("pulumi-awsx", [VPC], lambda _token, _inputs: None, [])
        return provider_pb2.GetSchemaResponse(schema=package_schema("awsx", version, schemas, components=True))

    async def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: N802
        """The component has no configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    async def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: N802
        """Nothing depends on the configuration."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    async def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: N802
        """Called if the engine attaches to a provider that is already running."""
        self.engine_address = request.address
        return empty_pb2.Empty()


def run(port: int, engine: str) -> None:
    """Serve on ``port`` of 127.0.0.1 (0: any free port), and print the port. ``engine`` is its address, if known."""

    async def serve() -> None:
        server = grpc.aio.server(options=SERVER_OPTIONS)
        service = Service(Components(importlib.metadata.version("pulumi-awsx")), [], engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        sys.stdout.write(f"{bound}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, importlib.import_module, _COMPONENTS)
        await server.wait_for_termination()

    asyncio.run(serve())
