"""The values that differ between a property of the program and the attribute of the state: one row each, without secrets."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adoption.properties import MISSING, Resolve, attribute, parsed, same

SHOWN = 60
"""Characters of a value in a table."""
SECRET = re.compile(r"(?i).*(secret|password|token|private).*")
"""Names of properties whose values are never shown."""


def leaves(name: str, old: Any, new: Any, resolve: Resolve) -> Iterator[tuple[str, str, str]]:
    """The path, the old and the new value of each part of `new` that differs from `old`."""
    if isinstance(new, str) and (document := parsed(new)) is not None:
        yield from leaves(name, parsed(old) if isinstance(old, str) else old, document, resolve)
    elif isinstance(new, Mapping):
        block = old[0] if isinstance(old, list) and len(old) == 1 else old
        if not isinstance(block, Mapping) or not block:
            yield name, text(block, name), text(new, name)
            return
        for key, value in new.items():
            other = block[key] if key in block else attribute(block, key)
            if not same(value, other, resolve):
                yield from leaves(f"{name}.{key}", other, value, resolve)
    elif _is_list_of_blocks(new) and isinstance(old, list) and len(old) == len(new):
        for number, (item, other) in enumerate(zip(new, old, strict=True)):
            if not same(item, other, resolve):
                yield from leaves(name if len(new) == 1 else f"{name}[{number}]", other, item, resolve)
    else:
        yield name, text(old, name), text(new, name)


def _is_list_of_blocks(value: Any) -> bool:
    return (
        isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(item, Mapping) for item in value)
    )


def text(value: Any, name: str = "") -> str:
    """A value in one short line."""
    if value is MISSING or value is None or value in ("", [], {}):
        return "none"
    if SECRET.fullmatch(name.rpartition(".")[2]):
        return "(sensitive)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        shown = ", ".join(value)
        return shown if len(shown) <= SHOWN else f"{len(value)} values"
    if isinstance(value, Mapping | list):
        return _short(json.dumps(_public(value), sort_keys=True))
    return _short(str(value))


def _public(value: Any) -> Any:
    """Set properties only, in Pulumi's spelling, without the values of secrets."""
    if isinstance(value, Mapping):
        return {
            _camel(str(key)): "(sensitive)" if SECRET.fullmatch(str(key)) else _public(item)
            for key, item in value.items()
            if item not in (None, "", [], {})
        }
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
        return _public(value[0])
    return [_public(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda found: found[1].upper(), name)


def _short(shown: str) -> str:
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 3]}..."
