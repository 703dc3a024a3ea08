"""Values of a Terraform state and inputs of the program, brought to one form and compared.

The AWS provider of Pulumi is made from Terraform's: names differ in case and in the plural of lists, and a block that
can stand only once is an object in the one and a list of one in the other.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adoption.program import REFERENCE

__all__ = ["MISSING", "attribute", "references", "same", "snake"]

MISSING = object()
"""The state has no such attribute: its provider is older than the property."""

_NOTHING = (None, "", [], {}, False, 0)
"""Terraform writes the zero value where nothing was given."""

Resolve = Callable[[str], Any]
"""A reference such as `${storage-efs.id}` to the value of the resource that it is paired with, or to itself."""


def snake(name: str) -> str:
    """`kmsKeyId` as Terraform writes it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """The attribute that the property `name` is in Terraform, or `MISSING`."""
    plural = snake(name)
    spellings = [plural]
    if plural.endswith("ies"):
        spellings.append(f"{plural[:-3]}y")
    if plural.endswith("s"):
        spellings.append(plural[:-1])
    return next((attributes[spelling] for spelling in spellings if spelling in attributes), MISSING)


def references(wanted: Any, actual: Any) -> Iterator[tuple[str, str, str]]:
    """Name, property and the state's value of each reference in `wanted` that has a counterpart in `actual`."""
    if isinstance(wanted, str):
        found = REFERENCE.fullmatch(wanted)
        if found and isinstance(actual, str) and actual:
            yield found["name"], found["property"], actual
        elif (document := _json(wanted)) is not None and isinstance(actual, str):
            yield from references(document, _json(actual))
    elif isinstance(wanted, Mapping):
        block = _block(actual)
        for name, value in wanted.items():
            yield from references(value, attribute(block, name) if name not in block else block[name])
    elif isinstance(wanted, Sequence) and isinstance(actual, Sequence) and len(wanted) == len(actual):
        for one, other in zip(wanted, actual, strict=True):
            yield from references(one, other)


def same(wanted: Any, actual: Any, resolve: Resolve) -> bool:
    """Whether the state has what the program wants; what the program doesn't mention is no difference."""
    if isinstance(wanted, str) and REFERENCE.fullmatch(wanted):
        wanted = resolve(wanted)
    if wanted in _NOTHING and (actual in _NOTHING or actual is MISSING):
        return True
    if isinstance(wanted, Mapping):
        block = _block(actual)
        return all(
            same(value, block[name] if name in block else attribute(block, name), resolve)
            for name, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return _same_items(wanted, actual, resolve)
    if isinstance(wanted, str) and isinstance(actual, str) and (document := _json(wanted)) is not None:
        other = _json(actual)
        return other is not None and _normal(document, resolve) == _normal(other, resolve)
    return _text(wanted) == _text(actual)


def _same_items(wanted: Sequence[Any], actual: Any, resolve: Resolve) -> bool:
    """Terraform keeps most lists of AWS as sets: order says nothing."""
    if not isinstance(actual, Sequence) or isinstance(actual, str) or len(actual) != len(wanted):
        return False
    rest = list(actual)
    for item in wanted:
        match = next((index for index, other in enumerate(rest) if same(item, other, resolve)), None)
        if match is None:
            return False
        del rest[match]
    return True


def _block(value: Any) -> Mapping[str, Any]:
    """The one block of a list of blocks."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else {}
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _json(text: str) -> Any:
    """A JSON document of objects or a list of them; None for any other text."""
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _normal(value: Any, resolve: Resolve) -> Any:
    """A document by its meaning: in a policy a list of one is its item, and the order of a list of strings says nothing."""
    if isinstance(value, str):
        return REFERENCE.sub(lambda found: str(resolve(found[0])), value)
    if isinstance(value, Mapping):
        return {name: _normal(item, resolve) for name, item in value.items()}
    if isinstance(value, list):
        items = [_normal(item, resolve) for item in value]
        if len(items) == 1:
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value
