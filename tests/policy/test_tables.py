"""The tables of the rules name types and properties that the installed AWS SDK has."""

import re
from functools import cache
from pathlib import Path

import pytest

from tables import read
from tables.links import LINKS
from tables.stores import STORES
from tests.policy.taggable_types import sources

PATHS = sorted(
    {(store.type, path) for store in STORES for path in (store.switch, store.key, *store.inherits) if path}
    | {(link.type, path) for link in LINKS for path in (link.path, *link.without)}
    | {(canonical, path) for path, types in read("resource_policies").items() for canonical in types}
)


@cache
def _inputs(module: Path) -> str:
    return (module.parent / "_inputs.py").read_text(encoding="utf-8")


def _property(source: str, name: str) -> str | None:
    """The type annotation of an input property with a camelCase name, or None."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    named = re.search(rf'getter\(name="{name}"\)\s+(?:@_utilities[^\n]+\s+)?def \w+\(self\) -> ([^\n]+):', source)
    plain = re.search(rf"getter\s+(?:@_utilities[^\n]+\s+)?def {snake}\(self\) -> ([^\n]+):", source)
    found = named or plain
    return found.group(1) if found else None


@pytest.mark.parametrize(("canonical", "path"), PATHS)
def test_type_and_property_exist(canonical: str, path: str) -> None:
    module = sources()[canonical]
    source = module.read_text(encoding="utf-8")
    for step in path.split("."):
        annotation = _property(source, step)
        assert annotation is not None, f"{canonical} has no {path}"
        nested = re.search(r"'(\w+)Args'", annotation)
        if nested:
            inputs = _inputs(module)
            start = inputs.index(f"class {nested.group(1)}Args:")
            end = inputs.find("\nclass ", start + 1)
            source = inputs[start : end if end > 0 else None]
