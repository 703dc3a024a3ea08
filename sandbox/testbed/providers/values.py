"""Property values: the engine's wire format, and the plain Python values that the stand-ins use.

In the wire format a property map is a protobuf struct. Secrets, unknown values and resource references are objects
with a signature key. Inside the stand-ins, `UNKNOWN` represents a value that is unknown during a preview, and the
names of the top-level properties that contain a secret are passed separately.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf import json_format, struct_pb2

Properties: TypeAlias = dict[str, Any]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (the marker of a secret, from Pulumi's wire format)
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """Represents any value that is unknown during a preview."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def decode(struct: struct_pb2.Struct) -> tuple[Properties, frozenset[str]]:
    """Plain values of a property map, and the names of its top-level properties that contain a secret at any depth."""
    secrets: set[str] = set()
    wire = json_format.MessageToDict(struct)
    return {name: _plain(value, lambda name=name: secrets.add(name)) for name, value in wire.items()}, frozenset(
        secrets
    )


def _plain(value: Any, secret: Callable[[], None]) -> Any:
    """The plain value of a wire value; `secret` is called if the value or a part of it is secret."""
    if isinstance(value, list):
        return [_plain(item, secret) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if not isinstance(value, dict):
        return UNKNOWN if value == _UNKNOWN_STRING else value
    signature = value.get(_SIGNATURE)
    if signature == _SECRET or (value.get("secret") is True and signature == _OUTPUT):
        secret()
    if signature in (_SECRET, _OUTPUT):
        return _plain(value.get("value", _UNKNOWN_STRING), secret)
    if signature == _RESOURCE:
        return value["id"] or UNKNOWN
    return {name: _plain(item, secret) for name, item in value.items()}


def encode(values: Mapping[str, Any], secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """The property map for the engine. The top-level properties named in `secrets` are marked as secret."""
    struct = struct_pb2.Struct()
    struct.update(
        {
            name: {_SIGNATURE: _SECRET, "value": _wire(value)} if name in secrets else _wire(value)
            for name, value in values.items()
            if value is not None
        }
    )
    return struct


def _wire(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _wire(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_wire(item) for item in value]
    return _UNKNOWN_STRING if isinstance(value, Unknown) else value


def as_text(value: Any) -> str:
    """A scalar as AWS and Pulumi format it in a string: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def has_unknown(value: Any) -> bool:
    """Whether a value is unknown or contains an unknown value at any depth."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN
