"""A call to the local AWS as conditions of refusals see it: its parameters, and what exists, read through AWS' own API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jmespath
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.testbed.local_aws import clients

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Coroutine[Any, Any, Answer]]


class Objects:
    """What exists in the local AWS: clients of AWS' SDK, whose requests go to the handlers in this process."""

    def __init__(
        self, handler_of: Callable[[str], Handler | None], account_and_region: Callable[[], tuple[str, str]]
    ) -> None:
        """``handler_of`` has the handler of a service by the name that its requests are signed for.

        ``account_and_region`` are those of the call that is being evaluated.
        """
        self._handler_of, self.account_and_region = handler_of, account_and_region
        self._clients: dict[tuple[str, str], Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``function`` in a thread, where it may wait for handlers, which run in the caller's event loop."""
        self._loop = asyncio.get_running_loop()
        return await asyncio.to_thread(function, *arguments)

    def client(self, service: str, region: str) -> Any:
        """A client of ``service``, by the name that the SDK gives it, with the credentials in the environment."""
        if (service, region) not in self._clients:
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
            client = clients.create(service, region_name=region, endpoint_url="http://local", config=config)
            handler = self._handler_of(client.meta.service_model.signing_name)
            client.meta.events.register("before-send", lambda request, **_: _sent(handler, request, self._loop))
            self._clients[service, region] = client
        return self._clients[service, region]


def _sent(handler: Handler | None, request: AWSPreparedRequest, loop: Any) -> AWSResponse:
    """The handler's answer, from the event loop that serves the call, in the context of the call."""
    if handler is None:
        return AWSResponse(request.url, 400, {}, SimpleNamespace(stream=list))
    url = urlsplit(request.url)
    body = request.body or b""
    running = handler(
        request.method or "GET",
        url.path,
        {name.lower(): _text(value) for name, value in request.headers.items()},
        body.encode() if isinstance(body, str) else bytes(body),
        parse_qs(url.query, keep_blank_values=True),
    )
    status, headers, content = asyncio.run_coroutine_threadsafe(running, loop).result()
    sent = content.encode() if isinstance(content, str) else content
    return AWSResponse(request.url, status, headers, SimpleNamespace(stream=lambda: [sent]))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class Call:
    """A call of ``operation`` (``ec2:CreateSubnet``)."""

    def __init__(self, operation: str, parameters: Mapping[str, Any], objects: Objects) -> None:
        self.operation, self.parameters, self._objects = operation, parameters, objects
        self.account, self.region = objects.account_and_region()
        self._answers: dict[tuple[str, str], Any] = {}

    def __getitem__(self, path: str) -> Any:
        """The parameter at a JMESPath expression; None if the call doesn't have it."""
        return jmespath.search(path, self.parameters)

    def each(self, path: str) -> list[Any]:
        """The parameters at a JMESPath expression, as a list."""
        found = self[path]
        return found if isinstance(found, list) else [] if found is None else [found]

    def find(self, operation: str, path: str, **parameters: Any) -> Any:
        """What the local AWS answers to a describing call, at a JMESPath expression; None if it answers with an error."""
        service, _, name = operation.rpartition(":")
        key = (operation, repr(sorted(parameters.items())))
        if key not in self._answers:
            client = self._objects.client(service or self.operation.partition(":")[0], self.region)
            method = xform_name(name)
            try:
                if client.can_paginate(method):
                    pages = client.get_paginator(method).paginate(**parameters)
                    self._answers[key] = pages.build_full_result()
                else:
                    self._answers[key] = getattr(client, method)(**parameters)
            except (ClientError, BotoCoreError):
                self._answers[key] = None
        return jmespath.search(path, self._answers[key]) if self._answers[key] is not None else None

    def all(self, operation: str, path: str, **parameters: Any) -> list[Any]:
        """`find` as a list."""
        return self.find(operation, path, **parameters) or []


def typed(shape: Any, value: Any) -> Any:
    """``value`` with the types of its shape. A query or a path has texts only."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {
            name: typed(shape.members[name], item) if name in shape.members else item for name, item in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [typed(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: typed(shape.value, item) for name, item in value.items()}
    convert = {"integer": int, "long": int, "float": float, "double": float}.get(shape.type_name)
    if convert and isinstance(value, str):
        try:
            return convert(value)
        except ValueError:
            return value
    return value
