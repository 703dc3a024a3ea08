"""Converts between the SDK's property names and API parameters, based on botocore's service model.

A property corresponds to the parameter of the same name, ignoring case; an entry lists the exceptions. The model also
contains the values that AWS accepts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.schema import Shape
from sandbox.testbed.providers.values import as_text

Renamed = Mapping[str, str]
"""Property names whose parameter has another name. The name of a nested property is written `*.name`."""

_WITHIN = "*."


def member(api: Any, name: str, renamed: Renamed, prefix: str = "") -> str | None:
    """The name of the structure's member for a property; `prefix` is `*.` within an object."""
    wanted = renamed.get(prefix + name, name).casefold()
    return next((key for key in api.members if key.casefold() == wanted), None)


def to_api(value: Any, api: Any, renamed: Renamed, prefix: str = "") -> Any:
    """A property's value in the form of the API parameter of shape `api`, without members unknown to the API.

    The SDK or the API may use an object instead of a list with one element.
    """
    if api.type_name == "structure" and isinstance(value, list):
        value = value[0] if value else {}
    elif api.type_name == "list" and isinstance(value, Mapping):
        value = [value]
    if api.type_name == "structure" and isinstance(value, Mapping):
        pairs = ((member(api, name, renamed, prefix), item) for name, item in value.items() if item is not None)
        return {name: to_api(item, api.members[name], renamed, _WITHIN) for name, item in pairs if name}
    if api.type_name == "list" and isinstance(value, list):
        return [to_api(item, api.member, renamed, _WITHIN) for item in value]
    if api.type_name == "map" and isinstance(value, Mapping):
        return {name: to_api(item, api.value, renamed, _WITHIN) for name, item in value.items()}
    if api.type_name == "structure" and "Value" in api.members:
        return {"Value": value}
    return _scalar(value, api.type_name, getattr(api, "enum", []))


def _scalar(value: Any, kind: str, choices: list[str]) -> Any:
    if isinstance(value, bool) and "ENABLED" in choices:
        return "ENABLED" if value else "DISABLED"
    if kind == "string" and not isinstance(value, str):
        return as_text(value)
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    if kind == "boolean" and isinstance(value, str):
        return value == "true"
    return value


def from_api(value: Any, shape: Shape, renamed: Renamed, prefix: str = "") -> Any:
    """The inverse of `to_api`: an API value with the property names of `shape`, without members unknown to the SDK."""
    if shape.kind == "object" and isinstance(value, list):
        return from_api(value[0], shape, renamed, prefix) if value else None
    if shape.kind == "array" and isinstance(value, Mapping):
        return from_api([value], shape, renamed, prefix)
    if shape.kind == "object" and isinstance(value, Mapping):
        keys = {key.casefold(): key for key in value}
        found = {name: keys.get(renamed.get(prefix + name, name).casefold()) for name in shape.properties}
        return {
            name: from_api(value[key], shape.properties[name], renamed, _WITHIN)
            for name, key in found.items()
            if key and shape.properties[name].kind != "unsupported"
        }
    if shape.kind == "array" and isinstance(value, list) and shape.element:
        return [from_api(item, shape.element, renamed, _WITHIN) for item in value]
    return _converted(value, shape)


def _converted(value: Any, shape: Shape) -> Any:
    if shape.kind == "string" and value is not None and not isinstance(value, str | list | Mapping):
        return as_text(value)
    if shape.kind in ("integer", "number") and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    return value == "ENABLED" if shape.kind == "boolean" and isinstance(value, str) else value


def bound(shape: Shape, api: Any, renamed: Renamed, prefix: str = "") -> None:
    """Add to `shape` the limits that the service model states for the parameter of shape `api`.

    Properties of an object without a member in the API are marked as unsupported.
    """
    if shape.kind == "object" and api.type_name == "list":
        bound(shape, api.member, renamed, prefix)
    elif shape.kind == "array" and api.type_name == "structure" and shape.element:
        shape.maximum = 1
        bound(shape.element, api, renamed, prefix)
    elif shape.kind == "object" and api.type_name == "structure":
        for name, item in shape.properties.items():
            key = member(api, name, renamed, prefix)
            if key:
                bound(item, api.members[key], renamed, _WITHIN)
            else:
                shape.properties[name] = Shape("unsupported")
    elif shape.kind == "array" and api.type_name == "list" and shape.element:
        _size(shape, api)
        bound(shape.element, api.member, renamed, _WITHIN)
    elif shape.kind == "map" and api.type_name == "map" and shape.element:
        bound(shape.element, api.value, renamed, _WITHIN)
    elif (shape.kind == "string" and api.type_name == "string") or (
        shape.kind in ("integer", "number") and api.type_name in ("integer", "long")
    ):
        _size(shape, api)
        shape.enum = list(api.enum) if shape.kind == "string" else []
        shape.pattern = _pattern(api.metadata.get("pattern", "")) if shape.kind == "string" else ""


def _size(shape: Shape, api: Any) -> None:
    shape.minimum = api.metadata.get("min")
    shape.maximum = api.metadata.get("max")


_CLASSES = {r"\p{L}": r"\w", r"\p{M}": "", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{S}": "", r"\p{P}": ""}


def _pattern(java: str) -> str:
    """The model's Java pattern as a Python pattern, or an empty string if it can't be converted."""
    pattern = java
    for name, replacement in _CLASSES.items():
        pattern = pattern.replace(name, replacement)
    try:
        re.compile(pattern)
    except re.error:
        return ""
    return pattern
