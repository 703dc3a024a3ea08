"""The gRPC service that the engine calls (`pulumirpc.ResourceProvider`), based on a package's table of entries."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.testbed.paths import state_directory
from sandbox.testbed.providers import validation
from sandbox.testbed.providers.lifecycle import Change, InitializationError, Lifecycle
from sandbox.testbed.providers.package import Package
from sandbox.testbed.providers.pending_creations import PendingCreations
from sandbox.testbed.providers.published_schema import package_schema
from sandbox.testbed.providers.resource import Resource
from sandbox.testbed.providers.values import Properties, decode, encode


def _answered(call: Callable[..., Any]) -> Callable[..., Any]:
    """Report any exception to the engine as a gRPC error."""

    @functools.wraps(call)
    def answer(service: ProviderService, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(service, request, context)
        except NotImplementedError as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except Exception as error:  # noqa: BLE001
            # The message of a KeyError is only the key.
            missed = f"the stand-in missed {error} ({type(error).__name__})"
            context.abort(grpc.StatusCode.UNKNOWN, missed if isinstance(error, KeyError) else str(error))

    return answer


class ProviderService(provider_pb2_grpc.ResourceProviderServicer):
    """Handles the engine's requests, and converts them to and from plain values.

    The engine opens a connection for each of its provider resources. If one process serves several of them, the
    connection identifies the configuration.
    """

    def __init__(self, make: Callable[[], Package]) -> None:
        self._make = make
        self._blank = make()
        self._configured: dict[str, Package] = {}
        self._pending = PendingCreations(state_directory() / "providers" / self._blank.name)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ProviderHandshakeResponse:  # noqa: N802
        """Return this provider's capabilities."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """The version of the SDK that the stand-in replaces."""
        return plugin_pb2.PluginInfo(version=self._blank.version)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Called if the engine attaches to a provider that is already running."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """The user cancelled the operation."""
        self._package(context).cancel()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802
        """Validate the provider's configuration."""
        values, _ = decode(request.news)
        return provider_pb2.CheckResponse(
            inputs=request.news, failures=_failures(self._blank.check_configuration(values))
        )

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802
        """A changed configuration never replaces resources."""
        changed = request.olds != request.news
        response = provider_pb2.DiffResponse
        return response(changes=response.DIFF_SOME if changed else response.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:  # noqa: N802
        """Set the provider's configuration."""
        values, _ = decode(request.args)
        package = self._make()
        found = package.check_configuration(values)
        if found:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "; ".join(f"{path}: {reason}" for path, reason in found))
        package.configure(values)
        self._configured[context.peer()] = package
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_answered
    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:  # noqa: N802
        """The schema of the table's resource types and functions."""
        package = self._blank
        return provider_pb2.GetSchemaResponse(schema=package_schema(package.name, package.version, package.schemas()))

    @_answered
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Call a function."""
        package = self._package(context)
        entry = package.functions.get(request.tok)
        if entry is None:
            raise self._unknown("function", request.tok, package.functions)
        arguments, secrets = decode(request.args)
        arguments = {name: value for name, value in arguments.items() if value is not None}
        shape = package.schemas()[request.tok].inputs
        found = list(validation.failures(shape, arguments, secrets, _source(entry)))
        found += [(name, "missing required argument") for name in sorted(entry.required - arguments.keys())]
        if found:
            return provider_pb2.InvokeResponse(failures=_failures(found))
        result = entry(package.backend(arguments.pop("region", None))).call(arguments)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(result, secrets & result.keys()))  # a keyword of Python
        return response

    @_answered
    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802
        """Validate a resource's inputs and add the provider's defaults."""
        lifecycle = self._lifecycle(request, context)
        old, _ = decode(request.olds)
        new, secrets = decode(request.news)
        where = _source(lifecycle.entry)
        inputs, found = lifecycle.check(old, new, seed=request.randomSeed, where=where, secrets=secrets)
        added = {name: value for name, value in inputs.items() if name not in new or value != new[name]}
        response = provider_pb2.CheckResponse(inputs=request.news, failures=_failures(found))
        response.inputs.fields.pop("__defaults", None)
        for name, value in encode(added, secrets & added.keys()).fields.items():
            response.inputs.fields[name].CopyFrom(value)
        return response

    @_answered
    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802
        """Return the changes of an update, and whether it requires a replacement."""
        lifecycle, outputs, _ = self._recorded(request, context, request.olds)
        old = decode(request.old_inputs)[0] if request.HasField("old_inputs") else outputs
        new, _ = decode(request.news)
        difference = lifecycle.diff(old, outputs, new, request.ignoreChanges)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if difference.changes else response.DIFF_NONE,
            diffs=[change.name for change in difference.changes],
            replaces=[change.name for change in difference.changes if change.replace],
            deleteBeforeReplace=difference.delete_first,
            hasDetailedDiff=True,
            detailedDiff={path: _property_diff(change) for path, change in difference.details.items()},
        )

    @_answered
    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create an object."""
        lifecycle = self._lifecycle(request, context)
        inputs, secrets = decode(request.properties)
        if request.preview:
            outputs = lifecycle.preview_create(inputs)
            return provider_pb2.CreateResponse(properties=_outputs(lifecycle, outputs, secrets))
        try:
            identity, outputs = lifecycle.create(inputs)
        except InitializationError as error:
            raise _half_way(context, lifecycle, error, secrets) from error
        return provider_pb2.CreateResponse(id=identity, properties=_outputs(lifecycle, outputs, secrets))

    @_answered
    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:  # noqa: N802
        """Read an object. An empty id in the response means that it no longer exists."""
        lifecycle, state, secrets = self._recorded(request, context, request.properties)
        inputs, secret_inputs = decode(request.inputs)
        found = lifecycle.read(request.id, inputs, state)
        if found is None:
            return provider_pb2.ReadResponse()
        identity, new_inputs, outputs = found
        secrets |= secret_inputs
        return provider_pb2.ReadResponse(
            id=identity,
            inputs=encode(new_inputs, secrets | (lifecycle.entry.secret & new_inputs.keys())),
            properties=_outputs(lifecycle, outputs, secrets),
        )

    @_answered
    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Update an object in place."""
        lifecycle, old_outputs, old_secrets = self._recorded(request, context, request.olds)
        old = decode(request.old_inputs)[0] if request.HasField("old_inputs") else old_outputs
        new, secrets = decode(request.news)
        secrets |= {name for name in old_secrets if name not in new}
        if request.preview:
            outputs = lifecycle.preview_update(old, old_outputs, new)
            return provider_pb2.UpdateResponse(properties=_outputs(lifecycle, outputs, secrets))
        outputs = lifecycle.update(request.id, old, old_outputs, new)
        return provider_pb2.UpdateResponse(properties=_outputs(lifecycle, outputs, secrets))

    @_answered
    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Delete an object."""
        lifecycle, state, _ = self._recorded(request, context, request.properties)
        lifecycle.make().delete(request.id, state)
        return empty_pb2.Empty()

    def _recorded(self, request: Any, context: Any, state: Any) -> tuple[Lifecycle, Properties, frozenset[str]]:
        """The lifecycle of an object that the engine has recorded with ``state``, its outputs, and which are secret."""
        lifecycle = self._lifecycle(request, context)
        outputs, secrets = decode(state)
        lifecycle.confirm(request.id, outputs)
        return lifecycle, outputs, secrets

    def _lifecycle(self, request: Any, context: grpc.ServicerContext) -> Lifecycle:
        token = request.urn.split("::")[2].rsplit("$", 1)[-1]
        package = self._package(context)
        entry = package.resources.get(token)
        if entry is None:
            raise self._unknown("resource type", token, package.resources)

        def make() -> Resource[Any]:
            return entry(package.backend(None), request.urn)

        return Lifecycle(entry, package.schemas()[token], make, self._pending, request.urn, dict(package.default_tags))

    def _package(self, context: grpc.ServicerContext) -> Package:
        """The package that this connection configured. After a reconnect from another port: the only configured one."""
        only = next(iter(self._configured.values())) if len(self._configured) == 1 else self._blank
        return self._configured.get(context.peer(), only)

    def load(self) -> None:
        """Import slow dependencies in advance. Requires no configuration."""
        self._blank.load()

    def cancel(self) -> None:
        """Cancel the waits of all connections."""
        for package in list(self._configured.values()):
            package.cancel()

    def _unknown(self, what: str, token: str, known: Mapping[str, Any]) -> NotImplementedError:
        near = difflib.get_close_matches(token, known, n=1, cutoff=0.8)
        hint = f"; did you mean {near[0]}?" if near else ""
        return NotImplementedError(
            f"the sandbox's stand-in for the {self._blank.name} provider does not know the {what} {token}{hint}. "
            f"Add an entry for it under sandbox/testbed/providers/ (see README.md there), or install the official plugin"
        )


def _source(entry: type) -> str:
    return f"{entry.__module__.replace('.', '/')}.py ({entry.__name__})"


def _failures(found: list[validation.Failure]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=path, reason=f"{path}: {reason}") for path, reason in found]


def _outputs(lifecycle: Lifecycle, outputs: Properties, secrets: Collection[str]) -> Any:
    marked = set(secrets) | lifecycle.entry.secret
    if "tags" in marked:
        marked.add("tagsAll")
    return encode(outputs, marked)


def _property_diff(change: Change) -> provider_pb2.PropertyDiff:
    kind = f"{change.kind}_REPLACE" if change.replace else change.kind
    return provider_pb2.PropertyDiff(
        kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=change.name != "tagsAll"
    )


def _half_way(
    context: grpc.ServicerContext, lifecycle: Lifecycle, error: InitializationError, secrets: Collection[str]
) -> RuntimeError:
    """The error that makes the engine record an object whose configuration failed."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identity, properties=_outputs(lifecycle, error.properties, secrets), reasons=[str(error)]
    )
    message = f"{error.identity} was created, but its configuration failed: {error}"
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    return RuntimeError(message)
