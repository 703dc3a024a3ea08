"""Pairs the program's resources with those of the state: by what identifies a resource in AWS, and by references to it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.anatomy import Anatomy
from adoption.kinds import BY_PULUMI_TYPE, Kind
from adoption.program import REFERENCE, Wanted
from adoption.properties import MISSING, attribute, references, snake
from adoption.state import StateResource

__all__ = ["Pair", "Pairing", "pair"]

TASK = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE = "aws:ecs/service:Service"


@dataclass(frozen=True)
class Pair:
    """One resource of both sides."""

    wanted: Wanted
    actual: StateResource
    kind: Kind

    @property
    def import_id(self) -> str:
        return self.kind.id_of(self.actual)


@dataclass
class Pairing:
    """Which resources of the program are which of the state."""

    anatomy: Anatomy
    wanted: Mapping[str, Wanted]
    """By logical name."""
    pairs: dict[str, Pair] = field(default_factory=dict)
    """By logical name."""
    actual_of: dict[str, StateResource] = field(default_factory=dict)
    """What references to a logical name lead to: those of the pairs, and the task definition, which is never imported."""
    beside: dict[str, StateResource] = field(default_factory=dict)
    """The resource with the same purpose under another name, by logical name: the program creates its own beside it."""

    def resolve(self, reference: str) -> Any:
        """The state's value of a reference such as `${storage-efs.id}`; the reference itself where it leads to nothing there."""
        found = REFERENCE.fullmatch(reference)
        actual = self.actual_of.get(found["name"]) if found else None
        if found is None or actual is None:
            return reference
        # Pulumi's id of a type is what its provider says, which for most is Terraform's.
        value = actual.attributes.get(snake(found["property"]), reference)
        return reference if value is None else value

    def take(self, wanted: Wanted, actual: StateResource) -> None:
        """Note that `wanted` is `actual`, or is made beside it where a name that can't change differs."""
        kind = BY_PULUMI_TYPE.get(wanted.type)
        if kind and _has_another_name(wanted, actual, kind):
            self.beside[wanted.name] = actual
            return
        self.actual_of[wanted.name] = actual
        if kind:
            self.pairs[wanted.name] = Pair(wanted, actual, kind)

    def free(self, actual: StateResource) -> bool:
        """Whether nothing is paired with `actual` yet: it is one resource, whatever refers to it."""
        return all(actual is not taken for taken in (*self.actual_of.values(), *self.beside.values()))

    @property
    def left(self) -> list[StateResource]:
        """The state's managed resources that nothing of the program is."""
        taken = {id(pair.actual) for pair in self.pairs.values()}
        return [resource for resource in self.anatomy.state.resources if id(resource) not in taken]


def pair(anatomy: Anatomy, wanted: Iterable[Wanted]) -> Pairing:
    """Pair from the service outwards until nothing more is found."""
    named: dict[str, Wanted] = {}
    for resource in wanted:
        if resource.name in named:
            raise ValueError(
                f"two AWS resources of the program are named {resource.name}: adoption.yaml names them by logical name"
            )
        named[resource.name] = resource
    pairing = Pairing(anatomy, named)
    for resource in named.values():
        if resource.type == SERVICE:
            pairing.take(resource, anatomy.service)
        elif resource.type == TASK:
            pairing.take(resource, anatomy.task)
    keyed = _Keyed(anatomy)
    found = True
    while found:
        found = _follow_references(pairing) or _compare_keys(pairing, keyed)
    return pairing


def _follow_references(pairing: Pairing) -> bool:
    """Pair what paired resources refer to at the same place."""
    before = len(pairing.actual_of) + len(pairing.beside)
    for name, actual in list(pairing.actual_of.items()):
        for key, value in pairing.wanted[name].inputs.items():
            for target, output, text in references(value, attribute(actual.attributes, key)):
                wanted = pairing.wanted.get(target)
                kind = BY_PULUMI_TYPE.get(wanted.type) if wanted else None
                if wanted is None or kind is None or target in pairing.actual_of or target in pairing.beside:
                    continue
                referred = _with(pairing.anatomy, kind, snake(output), text)
                if referred is not None and pairing.free(referred):
                    pairing.take(wanted, referred)
    return len(pairing.actual_of) + len(pairing.beside) > before


def _has_another_name(wanted: Wanted, actual: StateResource, kind: Kind) -> bool:
    name = wanted.inputs.get("name")
    fixed = "name" in kind.force_new - kind.keep
    return fixed and isinstance(name, str) and name != actual.attributes.get("name")


def _with(anatomy: Anatomy, kind: Kind, name: str, value: str) -> StateResource | None:
    found = [resource for resource in anatomy.state.of(*kind.terraform) if resource.attributes.get(name) == value]
    return found[0] if len(found) == 1 else None


class _Keyed:
    """The state's resources by their keys; each type is looked through once, whatever the size of the state."""

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
    """Pair what has the same key and is the only one that has it."""
    before = len(pairing.actual_of)
    for wanted in pairing.wanted.values():
        kind = BY_PULUMI_TYPE.get(wanted.type)
        if kind is None or not kind.key or wanted.name in pairing.actual_of:
            continue
        key = tuple(_plain(_resolved(wanted.inputs.get(name), pairing)) for name in kind.key)
        found = [actual for actual in keyed.find(kind, key) if pairing.free(actual)]
        if len(found) == 1:
            pairing.take(wanted, found[0])
    return len(pairing.actual_of) > before


def _resolved(value: Any, pairing: Pairing) -> Any:
    return pairing.resolve(value) if isinstance(value, str) and REFERENCE.fullmatch(value) else value


def _plain(value: Any) -> str:
    """A key's part as text; nothing given and the zero value of Terraform are the same."""
    return "" if value in (None, MISSING, 0, "0") else str(value)
