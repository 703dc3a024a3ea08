"""Property values as the engine sends them, and as the stand-ins handle them.

On the wire a property map is a protobuf struct in which secrets, unknown values and resource references are marked by
signature objects. Inside the stand-ins it is plain Python: `UNKNOWN` stands for a value that a preview cannot know yet,
and the names of the top-level properties that hold a secret travel beside the values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2

Properties: TypeAlias = dict[str, Any]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  (the marker of a secret, from Pulumi's wire format)
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """The one value that stands for everything a preview cannot know."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: object) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


def decode(struct: struct_pb2.Struct) -> tuple[Properties, frozenset[str]]:
    """Plain values of a property map, and the names of its top-level properties that hold a secret somewhere."""
    secrets: set[str] = set()
    values: Properties = {}
    for name, value in struct.fields.items():
        found: list[bool] = []
        values[name] = _decode(value, found)
        if found:
            secrets.add(name)
    return values, frozenset(secrets)


def _decode(value: struct_pb2.Value, secrets: list[bool]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _decode_object(value.struct_value, secrets)
    if kind == "list_value":
        return [_decode(item, secrets) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN_STRING else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _decode_object(struct: struct_pb2.Struct, secrets: list[bool]) -> Any:
    fields = struct.fields
    signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else ""
    if signature == _SECRET:
        secrets.append(True)
        return _decode(fields["value"], secrets)
    if signature == _OUTPUT:
        if "secret" in fields and fields["secret"].bool_value:
            secrets.append(True)
        return _decode(fields["value"], secrets) if "value" in fields else UNKNOWN
    if signature == _RESOURCE:
        return fields["id"].string_value or UNKNOWN
    return {name: _decode(value, secrets) for name, value in fields.items()}


def encode(values: Mapping[str, Any], secrets: Collection[str] = ()) -> struct_pb2.Struct:
    """The property map for the engine; the top-level properties named in `secrets` are marked as secret."""
    struct = struct_pb2.Struct()
    for name, value in values.items():
        if value is None:
            continue
        encoded = _encode(value)
        if name in secrets:
            marked = struct.fields[name].struct_value.fields
            marked[_SIGNATURE].string_value = _SECRET
            marked["value"].CopyFrom(encoded)
        else:
            struct.fields[name].CopyFrom(encoded)
    return struct


def _encode(value: Any) -> struct_pb2.Value:
    encoded = struct_pb2.Value()
    if value is None:
        encoded.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, Unknown):
        encoded.string_value = _UNKNOWN_STRING
    elif isinstance(value, bool):
        encoded.bool_value = value
    elif isinstance(value, int | float):
        encoded.number_value = value
    elif isinstance(value, str):
        encoded.string_value = value
    elif isinstance(value, Mapping):
        encoded.struct_value.SetInParent()
        for name, item in value.items():
            if item is not None:
                encoded.struct_value.fields[name].CopyFrom(_encode(item))
    else:
        encoded.list_value.SetInParent()
        encoded.list_value.values.extend(_encode(item) for item in value)
    return encoded


def as_text(value: Any) -> str:
    """A scalar as AWS and Pulumi write it in a string: truth values in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def has_unknown(value: Any) -> bool:
    """Whether a value is, or holds anywhere, something a preview cannot know."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN
