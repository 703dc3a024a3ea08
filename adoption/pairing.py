"""Pairs the program's resources with those of the state, by identifiers in AWS and by references to resources."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.anatomy import RULES, Anatomy
from adoption.kinds import BY_PULUMI_TYPE, Kind
from adoption.program import REFERENCE, Wanted
from adoption.properties import MISSING, attribute, references, snake
from adoption.state import StateResource

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"
LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER_RULE = "aws:lb/listenerRule:ListenerRule"


@dataclass(frozen=True)
class Pair:
    """A resource of the program and its counterpart in the state."""

    wanted: Wanted
    actual: StateResource
    kind: Kind

    @property
    def import_id(self) -> str:
        return self.kind.id_of(self.actual)


@dataclass
class Pairing:
    """The program's resources and their counterparts in the state."""

    anatomy: Anatomy
    wanted: Mapping[str, Wanted]
    """The program's resources by logical name."""
    pairs: dict[str, Pair] = field(default_factory=dict)
    """The pairs by logical name."""
    actual_of: dict[str, StateResource] = field(default_factory=dict)
    """The state's resources by logical name: those of the pairs, and the task definition, which is never imported."""
    renamed: dict[str, StateResource] = field(default_factory=dict)
    """By logical name, the state's resource with the same purpose and another name. The program creates a new one."""

    def resolve(self, reference: Any) -> Any:
        """The state's value of a reference such as `${storage-efs.id}`; any other value, and one without a value, as it is."""
        found = REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
        actual = self.actual_of.get(found["name"]) if found else None
        # The program always registers a separate task definition, which is not the state's.
        if found is None or actual is None or found["name"] not in self.pairs:
            return reference
        # The provider determines the ID of each type. For most types it is the same as in Terraform.
        value = actual.get(snake(found["property"]), reference)
        return reference if value is None else value

    def take(self, wanted: Wanted, actual: StateResource) -> None:
        """Record that `wanted` is `actual`, or that the program creates a new one because an immutable name differs."""
        kind = BY_PULUMI_TYPE.get(wanted.type)
        if kind and _has_another_name(wanted, actual, kind):
            self.renamed[wanted.name] = actual
            return
        self.actual_of[wanted.name] = actual
        if kind:
            self.pairs[wanted.name] = Pair(wanted, actual, kind)

    def free(self, actual: StateResource) -> bool:
        """Whether `actual` isn't paired yet. Several references can lead to the same resource."""
        return all(actual is not taken for taken in (*self.actual_of.values(), *self.renamed.values()))

    @property
    def new(self) -> list[Wanted]:
        """The program's resources without a counterpart in the state."""
        return [wanted for wanted in self.wanted.values() if wanted.name not in self.pairs]

    @property
    def left(self) -> list[StateResource]:
        """The state's managed resources without a counterpart in the program."""
        taken = {id(pair.actual) for pair in self.pairs.values()}
        return [resource for resource in self.anatomy.state.resources if id(resource) not in taken]


def pair(anatomy: Anatomy, wanted: Iterable[Wanted]) -> Pairing:
    """Pair resources, starting at the service, until no further pair is found."""
    named: dict[str, Wanted] = {}
    for resource in wanted:
        if resource.name in named:
            raise ValueError(
                f"two AWS resources of the program are named {resource.name}: adoption.yaml names them by logical name"
            )
        named[resource.name] = resource
    pairing = Pairing(anatomy, named)
    for resource, actual in _starts(pairing):
        if actual:
            pairing.take(resource, actual)
    keyed = _Keyed(anatomy)
    found = True
    while found:
        found = _follow_references(pairing) or _compare_keys(pairing, keyed)
    return pairing


def _starts(pairing: Pairing) -> Iterator[tuple[Wanted, StateResource | None]]:
    """The server's service and task, and its load balancer, to which no reference leads from the service. Workers have none."""
    anatomy = pairing.anatomy
    for resource in pairing.wanted.values():
        if resource.type == LOAD_BALANCER:
            yield resource, anatomy.load_balancer
        if resource.type == SERVICE and resource.inputs.get("loadBalancers"):
            yield resource, anatomy.service
            found = REFERENCE.fullmatch(resource.inputs.get("taskDefinition", ""))
            if found and found["name"] in pairing.wanted:
                yield pairing.wanted[found["name"]], anatomy.task


def _values(pairing: Pairing, name: str) -> Iterator[tuple[Any, Any]]:
    """The inputs of a paired resource and their values in the state.

    Of a task's volumes only the file system's is compared: both tasks may have others, and not the same number of them.
    """
    wanted, actual = pairing.wanted[name], pairing.actual_of[name]
    for key, value in wanted.inputs.items():
        if (wanted.type, key) == (TASK, "volumes"):
            for volume in value:
                yield volume.get("efsVolumeConfiguration"), pairing.anatomy.volume
        else:
            yield value, attribute(actual.attributes, key)


def _follow_references(pairing: Pairing) -> bool:
    """Pair the resources that paired resources reference in the same property."""
    before = len(pairing.actual_of) + len(pairing.renamed)
    for name in list(pairing.actual_of):
        for value, running in _values(pairing, name):
            for target, output, text in references(value, running):
                wanted = pairing.wanted.get(target)
                kind = BY_PULUMI_TYPE.get(wanted.type) if wanted else None
                if wanted is None or kind is None or target in pairing.actual_of or target in pairing.renamed:
                    continue
                referred = _with(pairing.anatomy, kind, snake(output), text)
                if referred is not None and pairing.free(referred):
                    pairing.take(wanted, referred)
    return len(pairing.actual_of) + len(pairing.renamed) > before


def _has_another_name(wanted: Wanted, actual: StateResource, kind: Kind) -> bool:
    name = wanted.inputs.get("name")
    if "name" not in kind.force_new - kind.keep or not isinstance(name, str):
        return False
    has_path = "path" in kind.force_new and (actual.get("path") or "/") != wanted.inputs.get("path", "/")
    return name != actual.get("name") or has_path


def _with(anatomy: Anatomy, kind: Kind, name: str, value: str) -> StateResource | None:
    found = [resource for resource in anatomy.state.of(*kind.terraform) if resource.get(name) == value]
    return found[0] if len(found) == 1 else None


class _Keyed:
    """The state's resources by key. Each type is indexed once, so that large states stay fast."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._indexes: dict[str, Mapping[tuple[str, ...], list[StateResource]]] = {}

    def find(self, kind: Kind, key: tuple[str, ...]) -> list[StateResource]:
        if kind.pulumi not in self._indexes:
            index: defaultdict[tuple[str, ...], list[StateResource]] = defaultdict(list)
            for resource in self._anatomy.state.of(*kind.terraform):
                index[tuple(_plain(attribute(resource.attributes, name)) for name in kind.key)].append(resource)
            self._indexes[kind.pulumi] = index
        return self._indexes[kind.pulumi].get(key, [])


def _compare_keys(pairing: Pairing, keyed: _Keyed) -> bool:
    """Pair resources with the same key, if only one unpaired resource of the state has it."""
    before = len(pairing.actual_of)
    for wanted in pairing.wanted.values():
        kind = BY_PULUMI_TYPE.get(wanted.type)
        if kind is None or not kind.key or wanted.name in pairing.actual_of:
            continue
        key = tuple(_plain(pairing.resolve(wanted.inputs.get(name))) for name in kind.key)
        found = [actual for actual in keyed.find(kind, key) if pairing.free(actual)]
        # A rule with the same priority may belong to others.
        found = [actual for actual in found if actual.type not in RULES or pairing.anatomy.owns(actual)]
        if len(found) == 1:
            pairing.take(wanted, found[0])
    return len(pairing.actual_of) > before


def _plain(value: Any) -> str:
    """One part of a key as text. An unset property equals Terraform's zero value."""
    return "" if value in (None, MISSING, 0, "0") else str(value)
