"""Validates the inputs of a resource or function against its shape. Anything unknown is a failure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sandbox.testbed.providers.schema import Shape
from sandbox.testbed.providers.values import UNKNOWN

Failure = tuple[str, str]
"""Path of a property, and the reason why it is invalid."""

_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "map": (dict,),
    "object": (dict,),
}


def failures(
    shape: Shape, inputs: Mapping[str, Any], secrets: Collection[str] = (), where: str = ""
) -> Iterator[Failure]:
    """All failures of the inputs. Values of the top-level properties in `secrets` are not shown.

    `where` names the source file in which support for a type or property can be added.
    """
    for path, reason in _object(shape, inputs, "", where):
        yield path, re.sub(r"^.* (?=is not )", "the secret value ", reason) if root(path) in secrets else reason


def root(path: str) -> str:
    """The top-level property of a path."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _object(shape: Shape, inputs: Mapping[str, Any], path: str, where: str) -> Iterator[Failure]:
    prefix = f"{path}." if path else ""
    for name, value in inputs.items():
        if name.startswith("__"):
            continue
        if name not in shape.properties:
            near = difflib.get_close_matches(name, shape.properties, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(shape.properties))}"
            yield f"{prefix}{name}", f"unknown property{hint}"
        elif value is not None:
            yield from _value(shape.properties[name], value, f"{prefix}{name}", where)
    for name in shape.required:
        if inputs.get(name) is None:
            yield f"{prefix}{name}", "missing required property"


def _value(shape: Shape, value: Any, path: str, where: str) -> Iterator[Failure]:
    if value is UNKNOWN or shape.kind == "any":
        return
    if shape.kind == "unsupported":
        yield path, f"the sandbox's stand-in does not support this property; it can be added in {where}"
    elif not _is_of(shape.kind, value):
        if not _convertible(shape.kind, value):
            yield path, f"{_show(value)} is not of type {shape.kind}"
    elif shape.kind == "object":
        yield from _object(shape, value, path, where)
    else:
        for key, item in _items(value):
            yield from _value(shape.element or Shape("any"), item, f"{path}[{key!r}]", where)
        reason = _limit(shape, value)
        if reason:
            yield path, reason


def _is_of(kind: str, value: Any) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _convertible(kind: str, value: Any) -> bool:
    """Whether the value can be converted without loss. Pulumi's providers convert scalars to and from strings."""
    if kind == "string":
        return isinstance(value, bool | int | float)
    if not isinstance(value, str):
        return False
    if kind == "boolean":
        return value in ("true", "false")
    return kind in ("integer", "number") and re.fullmatch(r"-?\d+", value) is not None


def _limit(shape: Shape, value: Any) -> str:
    shown = _show(value)
    if shape.enum and value not in shape.enum:
        return f"{shown} is not one of {', '.join(shape.enum)}"
    if shape.pattern and not re.fullmatch(shape.pattern, value):
        return f"{shown} is not of the form {shape.pattern}"
    size, unit = (value, "") if isinstance(value, int | float) else (len(value), " long")
    if shape.minimum is not None and size < shape.minimum:
        return f"{shown} is not allowed: at least {shape.minimum:g}{unit}"
    if shape.maximum is not None and size > shape.maximum:
        return f"{shown} is not allowed: at most {shape.maximum:g}{unit}, this is {size}"
    return ""


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
