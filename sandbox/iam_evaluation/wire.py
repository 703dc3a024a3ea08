"""Parses an AWS request into the client's call, for the query and JSON protocols.

botocore only serializes requests. Its service models contain the serialized names, which are used for parsing here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel

__all__ = ["parameters_of"]

_MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
"""botocore's names of services that have another name in the local AWS."""


def parameters_of(service: str, operation: str, form: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """The input of ``operation``: from ``form`` (the parameters of a query protocol) or a JSON ``body``."""
    if "Action" not in form:
        return _json(body)
    flat = {name: value[0] if isinstance(value, list) else value for name, value in form.items()}
    model = _model(_MODELS.get(service, service))
    shape: Any = model.operation_model(operation).input_shape
    return _structure(shape, "", flat, ec2=service == "ec2") if shape else {}


@cache
def _model(name: str) -> ServiceModel:
    return ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _structure(shape: Any, prefix: str, flat: Mapping[str, str], *, ec2: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _value(member, prefix + _name(name, member, ec2=ec2), flat, ec2=ec2)
        if value is not None:
            found[name] = value
    return found


def _value(shape: Any, at: str, flat: Mapping[str, str], *, ec2: bool) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, f"{at}.", flat, ec2=ec2) or None
    if shape.type_name == "list":
        lead = at if ec2 or shape.serialization.get("flattened") else f"{at}.{_item(shape)}"
        return [_value(shape.member, f"{lead}.{index}", flat, ec2=ec2) for index in _indices(lead, flat)] or None
    if at not in flat:
        return None
    return flat[at] == "true" if shape.type_name == "boolean" else flat[at]


def _name(name: str, member: Any, *, ec2: bool) -> str:
    serialized = member.serialization
    if ec2:
        written = serialized.get("queryName") or serialized.get("name") or name
        return written[0].upper() + written[1:]
    return serialized.get("name") or name


def _item(shape: Any) -> str:
    return shape.member.serialization.get("name") or "member"


def _indices(lead: str, flat: Mapping[str, str]) -> Iterator[int]:
    pattern = re.compile(rf"{re.escape(lead)}\.(\d+)(\.|$)")
    return iter(sorted({int(match[1]) for name in flat if (match := pattern.match(name))}))
