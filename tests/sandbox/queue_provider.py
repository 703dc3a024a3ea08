"""A provider of one type, SQS queues, that answers as the official one: ``python -m tests.sandbox.queue_provider``.

With a KMS key, SQS reports its own kind of encryption as disabled, and the provider's state has what SQS reports. The
acceptance tests of the official provider assert that. The sandbox's provider has no queues.
"""

import sys
import time
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc


def reported(inputs: dict[str, Any]) -> dict[str, Any]:
    """The state of a queue: the inputs, and what SQS reports."""
    name = inputs["name"]
    return {
        "arn": f"arn:aws:sqs:eu-west-1:123456789012:{name}",
        "url": f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}",
        "kmsDataKeyReusePeriodSeconds": 300,
        "sqsManagedSseEnabled": not inputs.get("kmsMasterKeyId"),
        **inputs,
    }


def _dictionary(message: struct_pb2.Struct) -> dict[str, Any]:
    return {name: value for name, value in json_format.MessageToDict(message).items() if not name.startswith("__")}


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(values)
    return message


class _Provider(provider_pb2_grpc.ResourceProviderServicer):
    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the names of the calls
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return plugin_pb2.PluginInfo(version="7.0.0")

    def Check(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        same = _dictionary(request.olds) == reported(_dictionary(request.news))
        kind = provider_pb2.DiffResponse
        return kind(changes=kind.DIFF_NONE if same else kind.DIFF_SOME)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        inputs = _dictionary(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(inputs))
        state = reported(inputs)
        return provider_pb2.CreateResponse(id=state["url"], properties=_struct(state))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return provider_pb2.UpdateResponse(properties=_struct(reported(_dictionary(request.news))))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return empty_pb2.Empty()


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
