"""Normalizes values of a Terraform state and inputs of the program, and compares them.

Pulumi's AWS provider bridges Terraform's. Names differ in case and in the plural of lists. A block that can occur only
once is an object in Pulumi and a list of one in Terraform.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from adoption.program import REFERENCE
from adoption.shapes import load

MISSING = object()
"""The state has no such attribute, because its provider version is older than the property."""

NOTHING = (None, "", [], {}, False, 0)
"""Terraform stores the zero value if an attribute isn't set."""

Resolve = Callable[[str], Any]
"""Resolves a reference such as `${storage-efs.id}` to the value of the paired resource, or to itself."""


def snake(name: str) -> str:
    """A property name such as `kmsKeyId` in Terraform's spelling, `kms_key_id`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """The value of Terraform's attribute for the property `name`, or `MISSING`."""
    plural = snake(name)
    spellings = [plural]
    for ending, singular in (("ies", "y"), ("s", ""), ("es", "")):
        if plural.endswith(ending):
            spellings.append(f"{plural.removesuffix(ending)}{singular}")
    return next((attributes[spelling] for spelling in spellings if spelling in attributes), MISSING)


def references(wanted: Any, actual: Any) -> Iterator[tuple[str, str, str]]:
    """Name, property and the state's value of each reference in `wanted` that has a counterpart in `actual`."""
    if isinstance(wanted, str):
        found = REFERENCE.fullmatch(wanted)
        if found and isinstance(actual, str) and actual:
            yield found["name"], found["property"], actual
        elif (document := parsed(wanted)) is not None and isinstance(actual, str):
            yield from references(document, parsed(actual))
    elif isinstance(wanted, Mapping):
        block = _block(actual)
        for name, value in wanted.items():
            yield from references(value, attribute(block, name) if name not in block else block[name])
    elif isinstance(wanted, Sequence) and isinstance(actual, Sequence) and len(wanted) == len(actual):
        for one, other in zip(wanted, actual, strict=True):
            yield from references(one, other)


def same(wanted: Any, actual: Any, resolve: Resolve) -> bool:
    """Whether the state's value matches the program's. Properties that the program doesn't set are ignored."""
    if isinstance(wanted, str) and REFERENCE.fullmatch(wanted):
        wanted = resolve(wanted)
    if wanted in NOTHING and (actual in NOTHING or actual is MISSING):
        return True
    if isinstance(wanted, Mapping):
        block = _block(actual)
        return all(
            same(value, block[name] if name in block else attribute(block, name), resolve)
            for name, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return _same_items(wanted, actual, resolve)
    if isinstance(wanted, str) and isinstance(actual, str) and (document := parsed(wanted)) is not None:
        other = parsed(actual)
        return other is not None and _normal(document, resolve) == _normal(other, resolve)
    return _text(wanted) == _text(actual)


def _same_items(wanted: Sequence[Any], actual: Any, resolve: Resolve) -> bool:
    """Compare lists regardless of their order, because most lists of the AWS provider are sets in Terraform."""
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


def parsed(text: Any) -> Any:
    """The parsed JSON object or list; None for any other text."""
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return None
    with contextlib.suppress(ValueError):
        return load(text)
    return None


def _normal(value: Any, resolve: Resolve) -> Any:
    """A normalized document. In a policy, a list of one equals its item, and the order of strings is irrelevant."""
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
