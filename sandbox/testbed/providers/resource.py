"""Base classes of the table's entries: resource types and functions of a stand-in."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Mapping
from typing import ClassVar, Generic, NamedTuple, TypeVar

from sandbox.testbed.providers.values import Properties

Backend = TypeVar("Backend")


def names(text: str) -> frozenset[str]:
    """Property names from a space-separated string."""
    return frozenset(text.split())


class Created(NamedTuple):
    """The id of a new object, and outputs that are available only at creation (a generated password, for example)."""

    id: str
    facts: Properties = {}  # noqa: RUF012  (never changed)


class Resource(abc.ABC, Generic[Backend]):
    """One resource type. A subclass is the table's entry for the type; an instance handles one request.

    Names in the class attributes are property names of the SDK (`cidrBlock`). A changed property replaces the resource
    unless it is in `in_place`.
    """

    sdk_name: ClassVar[str]
    """The type token in the SDK, such as `aws:ec2/vpc:Vpc`."""
    defaults: ClassVar[Mapping[str, object]] = {}
    """Default values of properties that the program doesn't set."""
    nested_defaults: ClassVar[Mapping[str, object]] = {}
    """Defaults of nested properties: `volumes.*.efsVolumeConfiguration.rootDirectory`; `*` matches every element."""
    in_place: ClassVar[frozenset[str]] = frozenset()
    """Properties that can be changed without a replacement."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Optional properties that AWS chooses if they are omitted, besides those whose outputs always have a value."""
    unordered: ClassVar[frozenset[str]] = frozenset()
    """Lists whose order is ignored."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Strings that contain JSON; they are compared as JSON."""
    domain_names: ClassVar[frozenset[str]] = frozenset()
    """Strings, at any depth, whose case and trailing dot are ignored."""
    extended: ClassVar[frozenset[str]] = frozenset()
    """Lists to which AWS adds elements."""
    reported: ClassVar[frozenset[str]] = frozenset()
    """Properties whose output is AWS' value, even if the program's value is equivalent."""
    secret: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are always secret."""
    write_only: ClassVar[frozenset[str]] = frozenset()
    """Properties that configure the provider's behavior and don't exist in AWS. They are never read back."""
    handled: ClassVar[frozenset[str]] = frozenset()
    """Properties of the SDK that the entry implements, in addition to those derived from an API call."""
    name_property: ClassVar[str] = "name"
    """The property whose value is generated if the program omits it and the SDK doesn't require it."""
    name_limit: ClassVar[int] = 255
    """Maximum length of a generated name."""
    delete_first: ClassVar[bool] = False
    """AWS allows only one such object at a time: a replacement must delete the old object first."""

    recorded: ClassVar[bool] = True
    """Whether a creation leaves an object behind if the engine doesn't record it."""

    def __init__(self, backend: Backend, urn: str) -> None:
        self.backend = backend
        self.urn = urn
        self.known: Properties = {}
        """Outputs of the object that are known when `configure` is called."""

    @classmethod
    def replaces(cls, name: str, old: Properties, new: Properties) -> bool:
        """Whether a change of the property replaces the object. `old` and `new` contain all inputs."""
        return name not in cls.in_place and name != "tags"

    @staticmethod
    def key(identity: str, state: Properties) -> str:
        """Distinguishes an object from its replacement: the id, unless several objects share one."""
        return identity

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """(property, reason) for each rule that neither the SDK nor the service model states."""
        return iter(())

    def locate(self, import_id: str) -> Created:
        """The object that an import refers to. Override it if the import id differs from the resource's id."""
        return Created(import_id)

    @abc.abstractmethod
    def create(self, inputs: Properties) -> Created:
        """Create the object with one API call. Any further configuration belongs in `configure`."""

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Apply the `changed` properties to an existing object. Must be idempotent."""

    @abc.abstractmethod
    def read(self, identity: str, state: Properties) -> Properties | None:
        """The object's current properties, or None if it no longer exists. `state`: the last known properties."""

    @abc.abstractmethod
    def delete(self, identity: str, state: Properties) -> None:
        """Delete the object and wait until it no longer exists. An object that doesn't exist is not an error."""


class Function(abc.ABC, Generic[Backend]):
    """One function (`invoke`) of a provider; a subclass is the table's entry."""

    sdk_name: ClassVar[str]
    required: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @abc.abstractmethod
    def call(self, arguments: Properties) -> Properties:
        """The function's result, with the property names of the SDK's result type."""
