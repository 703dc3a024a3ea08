"""botocore's service models, found by the name that a request is signed for or that the local AWS gives a service."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.loaders
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel

from sandbox.testbed.iam_evaluation.facts import FACTS

_LOADER = botocore.loaders.Loader()


def operation(service: str, name: str) -> OperationModel | None:
    """The model of the operation ``name`` of ``service``, or None."""
    for model in _models(service):
        if name in model.operation_names:
            return model.operation_model(name)
    return None


def signed_as(service: str) -> str:
    """The name for which the service's requests are signed, which is nearly always its IAM prefix."""
    return next((model.signing_name for model in _models(service)), service)


def operation_of_request(
    service: str, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, Any]
) -> OperationModel | None:
    """The operation that a request calls, or None if no model of the service has it."""
    called = headers.get("x-amz-target", "").rpartition(".")[2] or form.get("Action")
    if called:
        return operation(service, called[0] if isinstance(called, list) else called)
    found = [
        (len(re.sub(r"\{\w+\+?\}", "", uri)), model.operation_model(name))
        for model in _models(service)
        for name, verb, uri, pattern in _routes(model.service_name)
        if verb == method
        and not model.operation_model(name).deprecated
        and pattern.fullmatch(path.rstrip("/") or "/")
        and _query_matches(uri, form)
    ]
    # The route with the longest fixed part is the most specific one.
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _query_matches(uri: str, form: Mapping[str, Any]) -> bool:
    return all(part.partition("=")[0] in form for part in uri.partition("?")[2].split("&") if part)


@cache
def _routes(name: str) -> tuple[tuple[str, str, str, re.Pattern[str]], ...]:
    model = _load(name)
    found = []
    for operation_name in model.operation_names:
        http = model.operation_model(operation_name).http
        uri = http["requestUri"]
        parts = re.split(r"\{\w+\+?\}", uri.partition("?")[0].rstrip("/") or "/")
        found.append((operation_name, http["method"], uri, re.compile(".+?".join(map(re.escape, parts)))))
    return tuple(found)


@cache
def _models(service: str) -> tuple[Any, ...]:
    names = FACTS["models"].get(service) or (
        (service,) if service in _available() else _signed_names().get(service, ())
    )
    return tuple(_load(name) for name in names if name in _available())


@cache
def _available() -> frozenset[str]:
    return frozenset(_LOADER.list_available_services("service-2"))


@cache
def _signed_names() -> Mapping[str, tuple[str, ...]]:
    """Services by the name for which their requests are signed, if it isn't botocore's name of the service."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(_available()):
        model = _load(name)
        for alias in {model.signing_name, model.endpoint_prefix} - {name}:
            found[alias] = (*found.get(alias, ()), name)
    return found


@cache
def _load(name: str) -> Any:
    # Any: botocore's cached properties have no types.
    try:
        return ServiceModel(_LOADER.load_service_model(name, "service-2"), name)
    except UnknownServiceError as error:
        raise ValueError(f"botocore has no service {name}") from error
