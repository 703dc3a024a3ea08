"""Resources in the form that rules read, and the stack as their graph."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from sys import intern
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from evaluation.evaluation_log import EVALUATION_LOG
from evaluation.native import native_property, native_type, translated
from evaluation.values import UNKNOWN, at, entry, mapping, plain, sequence

T = TypeVar("T")
STACK: Final = "pulumi/Stack"

# Provider versions have the same resources in different modules; the rules use one name for each.
_MODULE_ALIASES: Final = {
    "alb": "lb",
    "applicationloadbalancing": "lb",
    "elasticloadbalancingv2": "lb",
    "elasticloadbalancing": "elb",
}
_IDENTITY_PROPERTIES: Final = ("id", "arn", "name", "keyId", "bucket")


# Blocks of which AWS computes the properties that the author doesn't set, so that their names count separately.
_COMPUTED_BLOCKS: Final = ("rootBlockDevice", "ebsBlockDevices")


class _Source(Protocol):
    """The attributes that the SDK's resource and stack arguments share."""

    resource_type: str
    props: Mapping[str, Any]
    urn: str
    name: str
    opts: Any


class _Target(NamedTuple):
    urn: str


class _Options(NamedTuple):
    protect: bool


class _Released(NamedTuple):
    resource_type: str
    opts: _Options
    provider: Any
    property_dependencies: Mapping[str, tuple[_Target, ...]]


@cache
def canonical_type(token: str) -> str:
    """The rules' name of a type, such as ``lb/loadBalancer``; empty for the types of other packages.

    A trailing V2 is dropped: the provider renamed those resources back.
    """
    package, _, rest = token.partition(":")
    if rest == "pulumi:Stack":
        return STACK
    if package != "aws":
        return ""
    module, _, resource = rest.partition(":")[0].partition("/")
    return f"{_MODULE_ALIASES.get(module, module)}/{resource.removesuffix('V2')}"


def authored_names(properties: Mapping[str, Any]) -> set[str]:
    """The names of the properties in a resource's inputs, and those in its computed blocks as ``block.name``."""
    names = set(properties)
    for block in names.intersection(_COMPUTED_BLOCKS):
        names |= {f"{block}.{inner}" for each in sequence(entry(properties, block)) for inner in mapping(each)}
    return names


def rule_type(token: str, *, native: bool) -> str:
    """The rules' name of a type; with ``native``, also of the aws-native types that ``evaluation.native`` translates."""
    return canonical_type(token) or (native_type(token) if native else "")


class Resource:
    """One resource: its type by the rules' name, and its properties as plain values, read on first access."""

    def __init__(self, source: _Source, canonical: str) -> None:
        self.source: Any = source
        self.type = canonical
        self.urn = source.urn
        self.name = source.name

    @cached_property
    def properties(self) -> dict[str, Any]:
        """The inputs (in a resource rule) or the outputs (in a stack rule)."""
        properties = plain(self.source.props)
        return translated(self.source.resource_type, properties) if self.native else properties

    def release(self, providers: dict[str, Any]) -> None:
        """Copy the properties, and what else is read of the SDK's objects, which take several times the memory."""
        source, _ = self.source, self.properties
        provider = getattr(source, "provider", None)
        self.source = _Released(
            intern(source.resource_type),
            _Options(bool(source.opts and source.opts.protect)),
            providers.setdefault(provider.urn, provider) if provider is not None else None,
            {
                intern(name): tuple(_Target(intern(target.urn)) for target in targets)
                for name, targets in getattr(source, "property_dependencies", {}).items()
            },
        )

    @property
    def native(self) -> bool:
        """Whether it is a resource of the aws-native package, whose properties are translated."""
        return self.source.resource_type.startswith("aws-native:")

    @property
    def protect(self) -> bool:
        """Whether the resource option ``protect`` is set."""
        return bool(self.source.opts.protect)

    @cached_property
    def provider_properties(self) -> dict[str, Any]:
        """The inputs of the resource's provider; empty if the engine doesn't pass them."""
        provider = getattr(self.source, "provider", None)
        return plain(provider.props) if provider is not None else {}

    def at(self, path: str) -> Any:
        """The property at a dotted path; None if it isn't set, ``UNKNOWN`` if it is unknown."""
        return at(self.properties, path) if "." in path else self.properties.get(path)

    def stated(self, path: str) -> Any:
        """The property at a dotted path as the author set it.

        In a preview, outputs that AWS computes are unknown too. An unknown value that the author set depends on another
        resource, and the engine records this dependency. Without a recorded dependency, and if the inputs that resource
        policies saw don't contain the property, the author didn't set it, and the result is None.
        """
        value = self.at(path)
        if value is not UNKNOWN:
            return value
        name = path.partition(".")[0]
        if self.native:
            name = native_property(self.source.resource_type, name)
        recorded = getattr(self.source, "property_dependencies", None)
        if recorded is not None and name not in recorded and not self.authored(name):
            return None
        return value

    def authored(self, name: str) -> bool | None:
        """Whether the author set a property (top-level, or in a computed block); None if that is unknown."""
        inputs = EVALUATION_LOG.inputs(self.urn)
        return None if inputs is None else name in inputs


class Stack:
    """All resources of a stack, indexed once, so that a lookup doesn't iterate over the stack."""

    def __init__(self, sources: Iterable[Any], *, native: bool = False, known: "Stack | None" = None) -> None:
        providers: dict[str, Any] = {}
        self._by_urn: dict[str, Resource] = {}
        self._by_type: dict[str, list[Resource]] = {}
        for source in sources:
            is_known = known is not None and not source.resource_type.startswith("aws-native:")
            canonical = rule_type(source.resource_type, native=native)
            resource = known._by_urn[source.urn] if known and is_known else Resource(source, canonical)
            self._by_urn[resource.urn] = resource
            if resource.type:
                self._by_type.setdefault(resource.type, []).append(resource)
            if resource.source is source:
                resource.release(providers)
        self._identities: dict[str, dict[str, Resource]] = {}
        self._computed: dict[Callable[[Stack], Any], Any] = {}

    def once(self, compute: "Callable[[Stack], T]") -> "T":
        """The result of a function of the whole stack, such as an index, which is computed on first use."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return self._computed[compute]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of the given types."""
        for canonical in types:
            yield from self._by_type.get(canonical, ())

    def type_of(self, urn: str) -> str:
        """The policies' name of a resource's type; empty for the types of other packages."""
        return self._by_urn[urn].type

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_urn.values())

    def by_identity(self, value: Any, canonical: str) -> Resource | None:
        """The resource of a type whose ID, ARN or name is ``value``."""
        if not isinstance(value, str):
            return None
        if canonical not in self._identities:
            index: dict[str, Resource] = {}
            for resource in self.of(canonical):
                for name in _IDENTITY_PROPERTIES:
                    identity = resource.properties.get(name)
                    if isinstance(identity, str) and identity:
                        index.setdefault(identity, resource)
            self._identities[canonical] = index
        return self._identities[canonical].get(value)

    def linked(self, resource: Resource, path: str, canonical: str) -> list[Resource]:
        """The resources of a type that a property refers to.

        Known values are looked up by ID, ARN or name. For an unknown value, or one that isn't in the stack, the engine's
        recorded dependencies are used, which cover a whole top-level property.
        """
        values = sequence(resource.at(path))
        found = [self.by_identity(value, canonical) for value in values]
        if values and all(found):
            return _distinct(each for each in found if each is not None)
        recorded = self.dependencies(resource, path.partition(".")[0], canonical)
        return _distinct([*(each for each in found if each is not None), *recorded])

    def referred(
        self, user: str, path: str, canonical: str, when: Callable[[Resource], bool] = lambda _resource: True
    ) -> set[str]:
        """The URNs of the resources of a type that a property of resources of another type refers to."""
        return {
            target.urn
            for resource in self.of(user)
            if when(resource)
            for target in self.linked(resource, path, canonical)
        }

    def dependencies(self, resource: Resource, name: str, canonical: str) -> list[Resource]:
        """The resources of a type that a top-level property depends on, as the engine recorded."""
        recorded: Mapping[str, list[Any]] = getattr(resource.source, "property_dependencies", {})
        if resource.native:
            name = native_property(resource.source.resource_type, name)
        return _distinct(
            self._by_urn[source.urn] for source in recorded.get(name, ()) if self._by_urn[source.urn].type == canonical
        )

    @cached_property
    def dependents(self) -> dict[str, list[tuple[str, Resource]]]:
        """For the URN of each resource, the resources that depend on it, each with the dependent property."""
        result: dict[str, list[tuple[str, Resource]]] = {}
        for user in self:
            if not user.type:
                continue
            for name, targets in user.source.property_dependencies.items():
                for target in targets:
                    result.setdefault(target.urn, []).append((name, user))
        return result


def _distinct(resources: Iterable[Resource]) -> list[Resource]:
    return list({resource.urn: resource for resource in resources}.values())
