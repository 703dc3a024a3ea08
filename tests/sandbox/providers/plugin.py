"""A provider plugin started as the engine starts it, called over its real gRPC service.

It is the sandbox's stand-in, or with PLUGINS=official the official plugin.
"""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.testbed.engine import plugins
from sandbox.testbed.providers.values import Properties, decode, encode

ROOT = Path(__file__).parents[3]


class Checked(NamedTuple):
    """Answer to Check."""

    inputs: Properties
    failures: dict[str, str]


class Made(NamedTuple):
    """Answer to Create."""

    id: str
    outputs: Properties
    secrets: frozenset[str]


class Plugin:
    """One plugin's process and its stub."""

    def __init__(self, name: str, state: Path, *, engine: str = "127.0.0.1:1") -> None:
        environment = {**os.environ, "ATLANTIS_SANDBOX_STATE": str(state)}
        official = plugins.installed_plugin(name) if os.environ.get(plugins.CHOICE) == "official" else None
        command = [str(official)] if official else [sys.executable, "-m", "sandbox.testbed.providers", name]
        self.process = subprocess.Popen(
            [*command, engine],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise AssertionError(self.process.stderr.read())
        self._address = f"127.0.0.1:{int(line)}"
        self._channel = grpc.insecure_channel(self._address)
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    @contextmanager
    def connection(self) -> Iterator[Plugin]:
        """The same process over a separate connection, as another provider resource of the engine has it."""
        other = copy.copy(self)
        with grpc.insecure_channel(self._address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            other.stub = provider_pb2_grpc.ResourceProviderStub(channel)
            yield other

    def configure(self, settings: Mapping[str, object]) -> None:
        """Configure with the provider's settings."""
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(settings), acceptSecrets=True))

    def check_configuration(self, settings: Mapping[str, object]) -> dict[str, str]:
        """CheckConfig: the failures."""
        response = self.stub.CheckConfig(provider_pb2.CheckRequest(news=encode(settings)))
        return {f.property: f.reason for f in response.failures}

    def check(
        self, urn: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None, secrets: Collection[str] = ()
    ) -> Checked:
        """Check."""
        request = provider_pb2.CheckRequest(
            urn=urn, olds=encode(olds or {}), news=encode(news, secrets), randomSeed=b"seed"
        )
        response = self.stub.Check(request)
        return Checked(decode(response.inputs)[0], {f.property: f.reason for f in response.failures})

    def create(
        self, urn: str, inputs: Mapping[str, Any], secrets: Collection[str] = (), *, preview: bool = False
    ) -> Made:
        """Create, or its preview."""
        request = provider_pb2.CreateRequest(urn=urn, properties=encode(inputs, secrets), preview=preview)
        response = self.stub.Create(request)
        outputs, secret = decode(response.properties)
        return Made(response.id, outputs, secret)

    def diff(self, urn: str, identity: str, outputs: Properties, old: Properties, new: Properties) -> Any:
        """Diff."""
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=urn, id=identity, olds=encode(outputs), news=encode(new), old_inputs=encode(old)
            )
        )

    def read(self, urn: str, identity: str, inputs: Properties | None = None, state: Properties | None = None) -> Any:
        """Read: (id, inputs, outputs)."""
        request = provider_pb2.ReadRequest(
            urn=urn, id=identity, properties=encode(state or {}), inputs=encode(inputs or {})
        )
        response = self.stub.Read(request)
        return response.id, decode(response.inputs)[0], decode(response.properties)[0]

    def update(self, urn: str, identity: str, outputs: Properties, old: Properties, new: Properties) -> Properties:
        """Update; returns the outputs."""
        request = provider_pb2.UpdateRequest(
            urn=urn, id=identity, olds=encode(outputs), news=encode(new), old_inputs=encode(old)
        )
        return decode(self.stub.Update(request).properties)[0]

    def delete(self, urn: str, identity: str, outputs: Properties) -> None:
        """Delete."""
        self.stub.Delete(provider_pb2.DeleteRequest(urn=urn, id=identity, properties=encode(outputs)))

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> tuple[Properties, dict[str, str]]:
        """Invoke: the result and the failures."""
        response = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(arguments)))
        return decode(getattr(response, "return"))[0], {f.property: f.reason for f in response.failures}

    def stop(self) -> None:
        """End the process as the engine does."""
        self._channel.close()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=120)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()


def urn(token: str, name: str) -> str:
    """A URN as the engine makes it."""
    return f"urn:pulumi:test::atlantis::{token}::{name}"
