"""The resource lifecycle, common to all types: check, diff, create, read, update, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.testbed.providers import validation
from sandbox.testbed.providers.diff import Comparison, leaves
from sandbox.testbed.providers.pending_creations import PendingCreations
from sandbox.testbed.providers.resource import Created, Resource
from sandbox.testbed.providers.schema import ResourceSchema
from sandbox.testbed.providers.values import UNKNOWN, Properties, has_unknown

_MADE_UP = "__defaults"
"""Input in which the official providers list the inputs that they filled in themselves. It isn't a property."""


class InitializationError(Exception):
    """The object exists, but its configuration failed. The engine must record it and repair it by an update."""

    def __init__(self, identity: str, properties: Properties, cause: Exception) -> None:
        super().__init__(str(cause))
        self.identity = identity
        self.properties = properties


@dataclass(frozen=True)
class Change:
    """One property that differs."""

    name: str
    kind: str
    """ADD, DELETE or UPDATE."""
    replace: bool


@dataclass
class Difference:
    """The changes of an update."""

    changes: list[Change] = field(default_factory=list)
    details: dict[str, Change] = field(default_factory=dict)
    """The differing leaves by path."""
    delete_first: bool = False


@dataclass
class Lifecycle:
    """The lifecycle of one resource, based on its type's table entry."""

    entry: type[Resource[Any]]
    schema: ResourceSchema
    make: Callable[[], Resource[Any]]
    """Creates an instance of the entry for this resource."""
    pending: PendingCreations
    urn: str
    default_tags: Mapping[str, str]

    @property
    def _comparison(self) -> Comparison:
        return Comparison(self.schema.inputs, self.entry)

    @property
    def _computed(self) -> Collection[str]:
        """Optional properties that AWS chooses if they are omitted. Omitting one later is not a change."""
        return self.entry.computed.union(self.schema.computed) - self.entry.defaults.keys() - {"region"}

    @property
    def _tagged(self) -> bool:
        return "tagsAll" in self.schema.outputs

    def check(
        self, old: Properties, new: Properties, *, seed: bytes, where: str, secrets: Collection[str]
    ) -> tuple[Properties, list[validation.Failure]]:
        """The inputs with the provider's defaults and generated values, and all validation failures."""
        inputs = {name: value for name, value in new.items() if value is not None and name != _MADE_UP}
        made_up: list[str] = []
        for name, value in self.entry.defaults.items():
            if name not in inputs:
                inputs[name] = value
                made_up.append(name)
        inputs = self._completed(inputs)
        properties = self.schema.inputs.properties
        name = self.entry.name_property
        optional = name in properties and name not in self.schema.inputs.required
        if optional and name not in inputs and f"{name}Prefix" not in inputs:
            kept = old.get(name) if name in old.get(_MADE_UP, []) else None
            inputs[name] = kept or self._name(seed)
            made_up.append(name)
        found = list(validation.failures(self.schema.inputs, inputs, secrets, where))
        if not found:
            known = {name: value for name, value in inputs.items() if not has_unknown(value)}
            # Rules see known values only. A failure about a property that is set, but unknown in a preview, is dropped;
            # the update evaluates the rule again.
            found.extend(
                (path, "the secret value is not accepted" if validation.root(path) in secrets else reason)
                for path, reason in self.make().rules(known)
                if path in known or path not in inputs
            )
        if made_up:
            inputs[_MADE_UP] = made_up
        return inputs, found

    def _completed(self, inputs: Properties) -> Properties:
        """The inputs with the defaults of nested properties."""
        for path, value in self.entry.nested_defaults.items():
            inputs = with_default(inputs, path.split("."), value)
        return inputs

    def _name(self, seed: bytes) -> str:
        suffix = hashlib.sha256(seed + self.urn.encode()).hexdigest()[:7]
        name = f"{self.urn.rsplit('::', 1)[-1][: self.entry.name_limit - 8]}-{suffix}"
        return name.lower() if self.entry.name_property == "bucket" else name

    def _all_tags(self, inputs: Mapping[str, Any]) -> Any:
        tags = inputs.get("tags") or {}
        return UNKNOWN if tags is UNKNOWN else {**self.default_tags, **tags}

    def _effective(self, inputs: Properties) -> Properties:
        """The inputs as the entry receives them: the tags include the provider's default tags."""
        effective = {name: value for name, value in inputs.items() if name != _MADE_UP and value is not None}
        if self._tagged:
            effective["tags"] = self._all_tags(inputs)
        return effective

    def diff(self, old: Properties, old_outputs: Properties, new: Properties, ignored: Collection[str]) -> Difference:
        """The properties that differ between the inputs of the last run and the inputs of this run."""
        difference = Difference()
        comparison, computed = self._comparison, self._computed
        # Values that an official plugin filled in and the program didn't set are not a change, nor are new defaults.
        not_given = set(old.get(_MADE_UP, [])) - new.keys() - self.entry.defaults.keys()
        old, new = self._completed({**self.entry.defaults, **old}), self._completed(new)
        for name in sorted((old.keys() | new.keys()) - set(ignored)):
            before, after = old.get(name), new.get(name)
            if name.startswith("__") or comparison.equal(name, before, after):
                continue
            if after is None and (name in computed or name in not_given):
                continue
            kind = "ADD" if before is None else "DELETE" if after is None else "UPDATE"
            change = Change(name, kind, replace=self.entry.replaces(name, old, new))
            difference.changes.append(change)
            for path, leaf in leaves(name, before, after):
                difference.details[path] = Change(name, leaf, change.replace)
        if self._tagged and "tagsAll" in old_outputs and old_outputs["tagsAll"] != self._all_tags(new):
            change = Change("tagsAll", "UPDATE", replace=False)
            difference.changes.append(change)
            difference.details["tagsAll"] = change
        name = self.entry.name_property
        fixed_name = name in new and name not in new.get(_MADE_UP, []) and old.get(name) == new[name]
        replaced = any(change.replace for change in difference.changes)
        difference.delete_first = replaced and (self.entry.delete_first or fixed_name)
        return difference

    def preview_create(self, inputs: Properties) -> Properties:
        """The outputs that are known before the creation: the inputs."""
        outputs = {name: UNKNOWN for name in self.schema.outputs if name not in self.schema.inputs.properties}
        outputs |= dict.fromkeys(self._computed, UNKNOWN)
        return outputs | self._known_outputs(inputs)

    def _known_outputs(self, inputs: Properties) -> Properties:
        outputs = {name: value for name, value in inputs.items() if name != _MADE_UP}
        if self._tagged:
            outputs["tagsAll"] = self._all_tags(inputs)
        return outputs

    def create(self, inputs: Properties) -> tuple[str, Properties]:
        """Create the object, or adopt the object that an interrupted run created. Returns its id and outputs."""
        resource = self.make()
        effective = self._effective(inputs)
        for key, created in self.pending.unconfirmed(self.urn):
            if self._adopt(resource, created, effective):
                return created.id, self._finish(resource, created, inputs, frozenset(effective))
            self.pending.confirm(self.urn, key)
        created = resource.create(effective)
        if self.entry.recorded:
            self.pending.record(self.urn, self.entry.key(created.id, created.facts), created)
        changed = frozenset(effective) & self.entry.handled
        return created.id, self._finish(resource, created, inputs, changed)

    def confirm(self, identity: str, outputs: Properties) -> None:
        """The engine has recorded this object."""
        self.pending.confirm(self.urn, self.entry.key(identity, outputs))

    def _adopt(self, resource: Resource[Any], created: Created, inputs: Properties) -> bool:
        """Whether the object of an interrupted run can be adopted. An object that can't be adopted is deleted."""
        found = resource.read(created.id, {**inputs, **created.facts})
        fixed = [
            name
            for name, value in inputs.items()
            if found and name in found and name != "tags" and name not in self.entry.in_place | self.entry.write_only
            if not self._comparison.same(name, value, found[name])
        ]
        if found is not None and not fixed:
            return True
        if found is not None:
            resource.delete(created.id, {**inputs, **created.facts, **found})
        return False

    def _finish(
        self, resource: Resource[Any], created: Created, inputs: Properties, changed: frozenset[str]
    ) -> Properties:
        resource.known = created.facts
        try:
            resource.configure(created.id, self._effective(inputs), changed)
            outputs = self._outputs(resource, created.id, inputs, created.facts)
        except Exception as error:
            known = {**self._known_outputs(inputs), **created.facts}
            raise InitializationError(created.id, known, error) from error
        return outputs

    def _outputs(self, resource: Resource[Any], identity: str, inputs: Properties, facts: Properties) -> Properties:
        known = {**facts, **self._known_outputs(inputs)}
        found = resource.read(identity, known)
        if found is None:
            raise LookupError(f"{self.entry.sdk_name} {identity} no longer exists right after its creation")
        found.pop("tags", None)
        outputs = {**known, **{name: value for name, value in found.items() if value is not None}}
        for name, value in inputs.items():
            if name in self.entry.reported:
                continue
            if name in outputs and self._comparison.same(name, value, outputs[name]):
                outputs[name] = _merge(value, outputs[name])
        return outputs

    def update(self, identity: str, old: Properties, old_outputs: Properties, new: Properties) -> Properties:
        """Apply the properties that differ. If none differ, apply all: the configuration failed in the last run."""
        resource = self.make()
        effective = self._effective(new)
        changed = frozenset(change.name for change in self.diff(old, old_outputs, new, ()).changes)
        if "tagsAll" in changed:
            changed = changed - {"tagsAll"} | {"tags"}
        resource.known = old_outputs
        resource.configure(identity, effective, changed or frozenset(effective))
        facts = {name: value for name, value in old_outputs.items() if name not in self.schema.inputs.properties}
        return self._outputs(resource, identity, new, facts)

    def preview_update(self, old: Properties, old_outputs: Properties, new: Properties) -> Properties:
        """The outputs that are known before the update."""
        kept = {name: value for name, value in old_outputs.items() if name not in old or name in new}
        return {**kept, **self._known_outputs(new)}

    def read(self, identity: str, inputs: Properties, state: Properties) -> tuple[str, Properties, Properties] | None:
        """Id, inputs and outputs from AWS; None if the object no longer exists. Without inputs and state: an import."""
        resource = self.make()
        if not inputs and not state:
            identity, state = resource.locate(identity)
        found = resource.read(identity, {**inputs, **state})
        if found is None:
            return None
        tags = found.pop("tags", None)
        if self._tagged and tags is not None:
            found["tagsAll"] = tags
            asked = inputs.get("tags") or {}
            own = {key: value for key, value in tags.items() if key in asked or self.default_tags.get(key) != value}
            if own or asked:
                found["tags"] = own
        now = self._observed(inputs, found) if inputs else self._imported(found)
        return identity, now, {**state, **found}

    def _observed(self, inputs: Properties, found: Properties) -> Properties:
        comparison = self._comparison
        observed = {
            name: comparison.observed(name, value, found[name]) if name in found else value
            for name, value in inputs.items()
        }
        if "tags" in found:
            observed["tags"] = found["tags"]
        return {name: value for name, value in observed.items() if value is not None}

    def _imported(self, found: Properties) -> Properties:
        properties = self.schema.inputs.properties
        taken = {
            name: value
            for name, value in found.items()
            if name in properties and properties[name].kind != "unsupported" and value not in (None, "", [], {})
        }
        return {**self.entry.defaults, **taken}


def with_default(value: Any, path: Sequence[str], default: object) -> Any:
    """`value` with `default` set at `path` if the parent object exists and doesn't set the property."""
    name, *rest = path
    if name == "*":
        return [with_default(item, rest, default) for item in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or (rest and name not in value):
        return value
    if rest:
        return {**value, name: with_default(value[name], rest, default)}
    return value if value.get(name) is not None else {**value, name: default}


def _merge(wanted: Any, actual: Any) -> Any:
    """The program's value, with the members that AWS added to its objects."""
    if isinstance(wanted, dict) and isinstance(actual, dict):
        return {**actual, **{key: _merge(value, actual.get(key)) for key, value in wanted.items()}}
    return wanted
