"""The stand-in for pulumi-random. Its values are generated once and stored only in the engine's state."""

from __future__ import annotations

import base64
import importlib.metadata
import secrets
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from sandbox.testbed.providers import schema, validation
from sandbox.testbed.providers.files import cache_directory
from sandbox.testbed.providers.package import Package
from sandbox.testbed.providers.resource import Created, Resource
from sandbox.testbed.providers.values import Properties

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": _SPECIAL,
}


class _Generated(Resource[None]):
    """A generated value. Every change replaces it. It exists only in the engine's state."""

    recorded = False

    def read(self, identity: str, state: Properties) -> Properties | None:
        return {name: value for name, value in state.items() if name != "id"}

    def delete(self, identity: str, state: Properties) -> None:
        """Does nothing: the value exists only in the state."""


class RandomString(_Generated):
    """A random string with a minimum number of characters of each class."""

    sdk_name = "random:index/randomString:RandomString"
    defaults: ClassVar[Mapping[str, object]] = {
        **dict.fromkeys(_CLASSES, True),
        **{f"min{name.title()}": 0 for name in _CLASSES},
    }

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Check the length, the character classes and the deprecated `number`."""
        length = inputs.get("length")
        if isinstance(length, int):
            least = sum(int(inputs.get(f"min{name.title()}", 0)) for name in _CLASSES)
            if length < max(1, least):
                yield "length", f"{length} is not allowed: at least 1 and the sum of the minimums ({least})"
        if not any(inputs.get(name, True) for name in _CLASSES):
            yield "lower", "at least one of lower, upper, numeric and special must be true"
        if inputs.get("number") is not None and inputs["number"] != inputs.get("numeric"):
            yield "number", "is deprecated and contradicts numeric; use numeric"

    def create(self, inputs: Properties) -> Created:
        """Generate the value with the operating system's random number generator."""
        result = _draw(inputs)
        return Created(result, {"result": result})


class RandomPassword(RandomString):
    """A RandomString whose result is a secret."""

    sdk_name = "random:index/randomPassword:RandomPassword"
    secret: ClassVar[frozenset[str]] = frozenset({"result", "bcryptHash"})

    def create(self, inputs: Properties) -> Created:
        """The id doesn't contain the password."""
        return Created("none", {"result": _draw(inputs)})


class RandomId(_Generated):
    """Random bytes in several encodings. The id is the URL-safe one."""

    sdk_name = "random:index/randomId:RandomId"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """`byteLength` must be at least 1."""
        if int(inputs.get("byteLength", 1)) < 1:
            yield "byteLength", f"{inputs['byteLength']} is not allowed: at least 1"

    def create(self, inputs: Properties) -> Created:
        """Generate the value with the operating system's random number generator."""
        drawn = secrets.token_bytes(inputs["byteLength"])
        prefix = inputs.get("prefix", "")
        url = base64.urlsafe_b64encode(drawn).decode().rstrip("=")
        facts = {
            "b64Url": prefix + url,
            "b64Std": prefix + base64.b64encode(drawn).decode(),
            "hex": prefix + drawn.hex(),
            "dec": f"{prefix}{int.from_bytes(drawn)}",
        }
        return Created(url, facts)


def _draw(inputs: Properties) -> str:
    classes = dict(_CLASSES)
    if inputs.get("overrideSpecial"):
        classes["special"] = inputs["overrideSpecial"]
    allowed = "".join(characters for name, characters in classes.items() if inputs.get(name, True))
    drawn = [secrets.choice(classes[name]) for name in classes for _ in range(int(inputs.get(f"min{name.title()}", 0)))]
    drawn += [secrets.choice(allowed) for _ in range(inputs["length"] - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


_TABLE: Mapping[str, type[Resource[Any]]] = {
    entry.sdk_name: entry for entry in (RandomPassword, RandomString, RandomId)
}


class RandomPackage(Package):
    """The stand-in for pulumi-random."""

    name = "random"
    version = importlib.metadata.version("pulumi-random")
    resources = _TABLE

    def __init__(self) -> None:
        self._schemas: dict[str, schema.ResourceSchema] = {}

    def schemas(self) -> Mapping[str, schema.ResourceSchema]:
        """The schemas, loaded on first use."""
        with schema.LOADING:
            if not self._schemas:
                tokens = sorted(self.resources)
                sources = [Path(__file__)]
                self._schemas = schema.load("pulumi-random", tokens, lambda *_: None, sources, cache_directory())
        return self._schemas

    def check_configuration(self, values: Properties) -> list[validation.Failure]:
        """The provider has no settings."""
        return [(name, "the random provider has no settings") for name in values if name not in ("version",)]

    def configure(self, values: Properties) -> None:
        """Does nothing: the provider has no settings."""

    def backend(self, region: str | None) -> Any:
        """None: the entries call no API."""

    def cancel(self) -> None:
        """Does nothing: no operation waits."""
