"""The part of an AWS resource's entry that is the same for all of them."""

from __future__ import annotations

import abc
import contextlib
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sandbox.providers.aws.listing import Listing
from sandbox.providers.aws.mapping import Renamed, from_api, to_api
from sandbox.providers.aws.session import Session, gone_is_fine, is_gone
from sandbox.providers.resource import Resource
from sandbox.providers.schema import ResourceSchema
from sandbox.providers.values import Properties

SCHEMAS: dict[str, ResourceSchema] = {}
"""Schemas of the table's types; the package fills it before any entry is used."""


class GoneError(LookupError):
    """AWS answered, and the object was not in the answer."""


def only(items: Sequence[Any]) -> Any:
    """The one object that a description by id is about."""
    if not items:
        raise GoneError("the object is gone")
    return items[0]


class AwsResource(Resource[Session]):
    """A resource type of AWS.

    Properties named like a parameter of `operation` are sent with it (`request`) and bound by its limits; `renamed` has the
    exceptions. Those of `handled` are carried out by `configure`; `limits` names the parameter that bounds one of them
    (`Operation.Parameter.Member`). A property of the SDK that is in neither is refused.
    """

    service: ClassVar[str]
    operation: ClassVar[str]
    renamed: ClassVar[Renamed] = {}
    limits: ClassVar[Mapping[str, str]] = {}
    handled: ClassVar[frozenset[str]] = frozenset()
    listing: ClassVar[Listing | None] = None
    """None for what is part of another object, or nothing in AWS."""

    @functools.cached_property
    def client(self) -> Any:
        """The service's client."""
        return self.backend.client(self.service)

    def request(self, inputs: Properties, operation: str = "", *, only: frozenset[str] | None = None) -> dict[str, Any]:
        """The parameters of an operation that the inputs have values for. Tags go their own ways."""
        api = self.client.meta.service_model.operation_model(operation or self.operation).input_shape
        chosen = {n: v for n, v in inputs.items() if n != "tags" and (only is None or n in only)}
        return to_api(chosen, api, self.renamed)

    def properties(self, answer: Mapping[str, Any], *names: str) -> Properties:
        """What an answer of AWS says of the properties, by name; `names` are outputs that are no inputs."""
        found = from_api(answer, SCHEMAS[self.sdk_name].inputs, self.renamed)
        keys = {key.casefold(): key for key in answer}
        for name in names:
            key = keys.get(self.renamed.get(name, name).casefold())
            if key:
                found[name] = answer[key]
        found.pop("tags", None)
        return found

    @abc.abstractmethod
    def describe(self, identity: str, state: Properties) -> Properties | None:
        """`read`; a not-found error of AWS means that the object is gone."""

    @abc.abstractmethod
    def remove(self, identity: str, state: Properties) -> None:
        """`delete`; a not-found error of AWS means that it is done."""

    def read(self, identity: str, state: Properties) -> Properties | None:
        """The object as AWS has it."""
        try:
            found = self.describe(identity, state)
        except Exception as error:
            if isinstance(error, GoneError) or is_gone(error):
                return None
            raise
        if found is not None and "region" in SCHEMAS[self.sdk_name].outputs:
            found["region"] = self.backend.region
        return found

    def delete(self, identity: str, state: Properties) -> None:
        """Remove the object."""
        with contextlib.suppress(GoneError), gone_is_fine():
            self.remove(identity, state)

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Documents must be JSON."""
        for name in self.documents & inputs.keys():
            try:
                json.loads(inputs[name])
            except (TypeError, json.JSONDecodeError) as error:
                yield name, f"is not valid JSON: {error}"


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as the list of pairs that most APIs want."""
    return [{key: name, value: text} for name, text in tags.items()]


def mapped(tags: list[dict[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """The inverse of `pairs`, without the tags that AWS reserves for itself."""
    return {tag[key]: tag.get(value, "") for tag in tags or [] if not tag[key].startswith("aws:")}


def rename_tags(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(tags to set, keys to remove) for getting from the old tags to the new ones."""
    return {key: value for key, value in new.items() if old.get(key) != value}, [key for key in old if key not in new]
