"""What a resource type and a function of a stand-in are: the table's entries."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import ClassVar, Generic, NamedTuple, TypeVar

from sandbox.providers.values import Properties

Backend = TypeVar("Backend")


def names(text: str) -> frozenset[str]:
    """Property names, written with blanks between them."""
    return frozenset(text.split())


class Created(NamedTuple):
    """The id of a new object, and what is known of it only now (a generated password, say)."""

    id: str
    facts: Properties = {}  # noqa: RUF012  (never changed)


class Resource(abc.ABC, Generic[Backend]):
    """One resource type. A subclass is the table's entry for it; an instance serves one call.

    Names in the class attributes are property names of the SDK (`cidrBlock`). A changed property replaces the resource
    unless it is one of `in_place`.
    """

    sdk_name: ClassVar[str]
    """Its name (type token) in the SDK, such as `aws:ec2/vpc:Vpc`."""
    defaults: ClassVar[Mapping[str, object]] = {}
    """Values that the provider fills in where the program says nothing."""
    nested_defaults: ClassVar[Mapping[str, object]] = {}
    """The same for properties within others: `volumes.*.efsVolumeConfiguration.rootDirectory`, `*` for every element."""
    in_place: ClassVar[frozenset[str]] = frozenset()
    """Properties that can be changed on an object that exists."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Optional properties that AWS chooses when they are left out, beside those whose outputs always have a value."""
    unordered: ClassVar[frozenset[str]] = frozenset()
    """Lists whose order means nothing."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Strings that hold JSON and are compared as such."""
    domain_names: ClassVar[frozenset[str]] = frozenset()
    """Strings, at any depth, whose case and trailing dot mean nothing."""
    extended: ClassVar[frozenset[str]] = frozenset()
    """Lists to which AWS adds elements of its own."""
    reported: ClassVar[frozenset[str]] = frozenset()
    """Properties whose output is AWS' value, even where the program's means the same."""
    secret: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are secret whatever the program says."""
    write_only: ClassVar[frozenset[str]] = frozenset()
    """Properties that steer the provider and have no counterpart in AWS: they are never read back."""
    handled: ClassVar[frozenset[str]] = frozenset()
    """Properties of the SDK that the stand-in carries out, beside those derived from an API call."""
    name_property: ClassVar[str] = "name"
    """The property that is made up when the program gives none, where the SDK does not demand it."""
    name_limit: ClassVar[int] = 255
    """Longest name that is made up when the program gives none."""
    delete_first: ClassVar[bool] = False
    """AWS allows one of its kind only: a replacement needs the old one gone."""

    recorded: ClassVar[bool] = True
    """A creation leaves something behind when the engine forgets it."""

    def __init__(self, backend: Backend, urn: str) -> None:
        self.backend = backend
        self.urn = urn
        self.known: Properties = {}
        """Outputs that are known of the object when `configure` is called."""

    @classmethod
    def replaces(cls, name: str, old: Properties, new: Properties) -> bool:
        """Whether a change of the property replaces the object; ``old`` and ``new`` are all of its inputs."""
        return name not in cls.in_place and name != "tags"

    @staticmethod
    def key(identity: str, state: Properties) -> str:
        """What tells an object from the one that replaces it: the id, where every object has its own."""
        return identity

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """(property, what is wrong with it) for what neither SDK nor service model says."""
        return iter(())

    def locate(self, import_id: str) -> Created:
        """The object that an import names: its own id, where an import takes another one, and what the name says of it."""
        return Created(import_id)

    @abc.abstractmethod
    def create(self, inputs: Properties) -> Created:
        """Make the object with one call. Everything else that it needs belongs into `configure`."""

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Carry out the `changed` properties on an object that exists. Must bear being repeated."""

    @abc.abstractmethod
    def read(self, identity: str, state: Properties) -> Properties | None:
        """The object's properties as they are now, or None when it is gone. `state` is what was known last."""

    @abc.abstractmethod
    def delete(self, identity: str, state: Properties) -> None:
        """Remove the object and wait until it is gone; one that is gone already is fine."""


class Function(abc.ABC, Generic[Backend]):
    """One function (`invoke`) of a provider; a subclass is the table's entry."""

    sdk_name: ClassVar[str]
    required: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @abc.abstractmethod
    def call(self, arguments: Properties) -> Properties:
        """The function's result, with the property names of the SDK's result type."""
