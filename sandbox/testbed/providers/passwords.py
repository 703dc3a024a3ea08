"""The stand-in for pulumi-random. Its values are generated once and stored only in the engine's state."""

from __future__ import annotations

import importlib.metadata
import secrets
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from sandbox.testbed.providers import schema
from sandbox.testbed.providers.package import Package
from sandbox.testbed.providers.resource import Created, Resource
from sandbox.testbed.providers.values import Properties

_CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}


class RandomPassword(Resource[None]):
    """A random string. Every change replaces it. It exists only in the engine's state, and its ID doesn't contain it."""

    sdk_name = "random:index/randomPassword:RandomPassword"
    defaults: ClassVar[Mapping[str, object]] = dict.fromkeys(_CLASSES, True)
    secret: ClassVar[frozenset[str]] = frozenset({"result", "bcryptHash"})
    recorded = False

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Check the length and the character classes."""
        if inputs.get("length", 1) < 1:
            yield "length", f"{inputs['length']} is not allowed: at least 1"
        if not any(inputs.get(name, True) for name in _CLASSES):
            yield "lower", "at least one of lower, upper, numeric and special must be true"

    def create(self, inputs: Properties) -> Created:
        """Draw the value with the operating system's random number generator."""
        allowed = "".join(characters for name, characters in _CLASSES.items() if inputs.get(name, True))
        return Created("none", {"result": "".join(secrets.choice(allowed) for _ in range(inputs["length"]))})

    def read(self, identity: str, state: Properties) -> Properties | None:
        return {name: value for name, value in state.items() if name != "id"}

    def delete(self, identity: str, state: Properties) -> None:
        """Does nothing: the value exists only in the state."""


def _refine(_token: str, inputs: schema.Shape) -> None:
    """Mark what the stand-in doesn't support: minimum numbers of characters, and other special characters."""
    for name in inputs.properties.keys() - {"length", "keepers", *_CLASSES}:
        inputs.properties[name] = schema.Shape("unsupported")


class RandomPackage(Package):
    """The stand-in for pulumi-random."""

    name = "random"
    version = importlib.metadata.version("pulumi-random")
    resources: ClassVar[Mapping[str, type[Resource[Any]]]] = {RandomPassword.sdk_name: RandomPassword}

    def __init__(self) -> None:
        self._schemas: dict[str, schema.ResourceSchema] = {}

    def schemas(self) -> Mapping[str, schema.ResourceSchema]:
        """The schemas, loaded on first use."""
        with schema.LOADING:
            if not self._schemas:
                sources = [Path(__file__)]
                self._schemas = schema.load("pulumi-random", list(self.resources), _refine, sources)
        return self._schemas
