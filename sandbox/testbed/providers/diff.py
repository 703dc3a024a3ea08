"""Comparison of property values: which values changed, and whether two values are equivalent."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.testbed.providers.resource import Resource
from sandbox.testbed.providers.schema import Shape
from sandbox.testbed.providers.values import as_text

_NOTHING = (None, [], {})
"""The provider treats an empty list or map like a missing value."""


@dataclass(frozen=True)
class Comparison:
    """Compares the values of one resource type."""

    shape: Shape
    entry: type[Resource[Any]]

    def same(self, name: str, wanted: Any, actual: Any) -> bool:
        """Whether the value that AWS returns for a property matches the program's value.

        AWS may return additional members of an object, such as values that it chose. They don't count as a difference.
        """
        return self._same(self.shape.properties.get(name, Shape("any")), name, wanted, actual, partial=True)

    def equal(self, name: str, old: Any, new: Any) -> bool:
        """Whether two values that the program set for a property are equivalent."""
        return self._same(self.shape.properties.get(name, Shape("any")), name, old, new, partial=False)

    def _same(self, shape: Shape, name: str, wanted: Any, actual: Any, *, partial: bool) -> bool:
        if wanted == actual or (wanted in _NOTHING and actual in _NOTHING):
            return True
        if isinstance(wanted, dict) and isinstance(actual, dict):
            names = wanted.keys() if partial and shape.kind == "object" else wanted.keys() | actual.keys()
            return all(
                self._same(
                    shape.properties.get(key, Shape("any")), key, wanted.get(key), actual.get(key), partial=partial
                )
                for key in names
                if not key.startswith("__")
            )
        if isinstance(wanted, list) and isinstance(actual, list):
            return self._same_list(shape.element or Shape("any"), name, wanted, actual, partial=partial)
        if name in self.entry.documents and isinstance(wanted, str) and isinstance(actual, str):
            return document(wanted) == document(actual, like=wanted if partial else actual)
        if name in self.entry.domain_names and isinstance(wanted, str) and isinstance(actual, str):
            return domain_name(wanted) == domain_name(actual)
        return as_text(wanted) == as_text(actual) if wanted is not None and actual is not None else False

    def _same_list(self, shape: Shape, name: str, wanted: list[Any], actual: list[Any], *, partial: bool) -> bool:
        if len(wanted) != len(actual) and not (partial and name in self.entry.extended):
            return False
        if name not in self.entry.unordered:
            return all(self._same(shape, "", a, b, partial=partial) for a, b in zip(wanted, actual, strict=True))
        rest = list(actual)
        for item in wanted:
            match = next((other for other in rest if self._same(shape, "", item, other, partial=partial)), None)
            if match is None:
                return False
            rest.remove(match)
        return True

    def observed(self, name: str, wanted: Any, actual: Any) -> Any:
        """The input to record after a refresh: the program's value, or AWS' value if the two differ."""
        if self.same(name, wanted, actual):
            return wanted
        shape = self.shape.properties.get(name, Shape("any"))
        return _restrict(shape, wanted, actual)


def domain_name(text: str) -> str:
    """A DNS name as the official provider stores it: lower case, without a trailing dot."""
    return text.lower().removesuffix(".")


def _restrict(shape: Shape, wanted: Any, actual: Any) -> Any:
    """The actual value without the members of objects that the program didn't set."""
    if shape.kind == "object" and isinstance(wanted, dict) and isinstance(actual, dict):
        return {
            key: _restrict(shape.properties.get(key, Shape("any")), value, actual[key])
            for key, value in wanted.items()
            if actual.get(key) is not None
        }
    return actual


def document(text: str, like: str = '"Id" "Sid"') -> Any:
    """A JSON document, normalized for comparison.

    A list with one element equals the element, and the order of a list of strings is ignored, as in IAM policies. `Id`
    and `Sid`, which AWS may generate, are left out unless `like` (the document to compare with) contains them.
    """
    added = {name for name in ("Id", "Sid") if f'"{name}"' not in like}
    try:
        return _normal(json.loads(text), added)
    except json.JSONDecodeError:
        return text


def _normal(value: Any, added: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _normal(item, added) for key, item in value.items() if key not in added}
    if isinstance(value, list):
        items = [_normal(item, added) for item in value]
        if len(items) == 1 and not isinstance(items[0], list):
            return items[0]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    return value


def leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """(path, kind) of each leaf that differs; kind is ADD, DELETE or UPDATE. Paths use the engine's notation."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            plain = key.isidentifier()
            yield from leaves(f"{path}.{key}" if plain else f'{path}["{key}"]', old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from leaves(f"{path}[{index}]", before, after)
    elif old != new:
        yield path, "ADD" if old is None else "DELETE" if new is None else "UPDATE"
