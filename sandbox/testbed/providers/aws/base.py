"""Base class of the AWS resource types."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import jmespath
from botocore import xform_name

from sandbox.testbed.providers.aws import calls
from sandbox.testbed.providers.aws.calls import Call, Change, Tagging, mapped
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.aws.mapping import Renamed, from_api, to_api
from sandbox.testbed.providers.aws.rows import ROWS
from sandbox.testbed.providers.aws.session import (
    Session,
    error_code,
    gone_is_fine,
    is_gone,
)
from sandbox.testbed.providers.diff import Comparison
from sandbox.testbed.providers.resource import Created, Resource, names
from sandbox.testbed.providers.schema import ResourceSchema
from sandbox.testbed.providers.values import Properties

SCHEMAS: dict[str, ResourceSchema] = {}
"""Schemas of the table's types; the package fills it before any entry is used."""


class GoneError(LookupError):
    """The response of AWS doesn't contain the object."""


class AwsResource(Resource[Session]):
    """A resource type of AWS.

    Properties with the name of a parameter of `operation` are sent with it (`request`) and validated against its
    limits; `renamed` lists different names. `update` applies the properties of `handled`; `limits` names the parameter
    (`Operation.Parameter.Member`) whose limits apply to one of them. A property of the SDK that is in neither, or that
    is in `refused`, is rejected.
    """

    service: ClassVar[str]
    operation: ClassVar[str]
    within: ClassVar[str] = ""
    """The parameter of `operation` of which the other properties are members."""
    renamed: ClassVar[Renamed] = {}
    limits: ClassVar[Mapping[str, str]] = {}
    bounds: ClassVar[Mapping[str, tuple[int, int]]] = {}
    """Minimum and maximum (`bounds`) and allowed values (`choices`) that the service model doesn't state, by path."""
    choices: ClassVar[Mapping[str, Sequence[Any]]] = {}
    excluding: ClassVar[Sequence[Sequence[str]]] = ()
    """Groups of mutually exclusive properties."""
    refused: ClassVar[frozenset[str]] = frozenset()
    handled: ClassVar[frozenset[str]] = frozenset()
    made: ClassVar[str] = ""
    """Path of the new object's id in the response of `operation` (JMESPath)."""
    named: ClassVar[str] = ""
    """Pattern of an id that consists of properties: `{role}:{name}`."""
    token: ClassVar[str] = ""
    """The idempotency token's parameter."""
    described: ClassVar[Call]
    reads: ClassVar[tuple[Call, ...]] = ()
    """Calls whose responses are merged into the description."""
    deleted: ClassVar[Call]
    """Without an operation (`null` in the row) if AWS has no call for it."""
    subject: ClassVar[str] = ""
    """The parameter of `updates` that receives the id, if it differs from that of `deleted`."""
    updates: ClassVar[tuple[Change, ...]] = ()
    documents: ClassVar = names("assumeRolePolicy containerDefinitions dashboardBody policy")
    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that aren't inputs and that the description contains under the same names."""
    shown: ClassVar[Mapping[str, str]] = {}
    """Properties that the description contains under other names or paths (JMESPath)."""
    built: ClassVar[Mapping[str, str]] = {}
    """Properties derived from the id, other properties and the `aws` session: `{id}.efs.{aws.region}.amazonaws.com`."""
    tagging: ClassVar[Tagging | None] = None
    available: ClassVar[str] = ""
    """Condition on the description that is true when the object is available (JMESPath)."""
    patience: ClassVar[float] = 120.0
    """Seconds to wait for availability, and for the completion of a deletion."""
    goes_slowly: ClassVar[bool] = False
    """Whether deletion is asynchronous: the objects that this one uses remain in use until it completes."""
    in_use: ClassVar[frozenset[str]] = frozenset()
    """Error codes of a deletion that is refused because another object, which may be being deleted, uses this one."""
    listing: ClassVar[Listing | None] = None
    """None if the type is part of another object or doesn't exist in AWS."""

    def __init_subclass__(cls) -> None:
        """Set the fields of the type's row, and derive `in_place` and `handled` from the properties of `updates`."""
        for name, value in ROWS.get(cls.__dict__.get("sdk_name", ""), {}).items():
            setattr(cls, name, value)
        cls.in_place = cls.in_place.union(cls.write_only, *(row.properties for row in cls.updates))
        cls.handled = cls.handled.union(*(row.properties for row in cls.updates if row.new))

    @functools.cached_property
    def client(self) -> Any:
        """The service's client."""
        return self.backend.client(self.service)

    def request(self, inputs: Properties, operation: str = "", *, only: frozenset[str] | None = None) -> dict[str, Any]:
        """The parameters of an operation for which the inputs have values. Tags are sent separately."""
        api = calls.input_shape(self.client, operation or self.operation)
        chosen = {n: v for n, v in inputs.items() if n != "tags" and (only is None or n in only)}
        return to_api(chosen, api, self.renamed)

    def properties(self, answer: Mapping[str, Any], *names: str) -> Properties:
        """The properties in a response of AWS. `names` are outputs that aren't inputs."""
        found = from_api(answer, SCHEMAS[self.sdk_name].inputs, self.renamed)
        keys = {key.casefold(): key for key in answer}
        for name in names:
            key = keys.get(self.renamed.get(name, name).casefold())
            if key:
                found[name] = answer[key]
        found.pop("tags", None)
        return found

    def create(self, inputs: Properties) -> Created:
        """Create the object with one call of `operation`."""
        parameters = self.parameters(inputs)
        if self.token:
            digest = hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()
            parameters.setdefault(self.token, digest[:32])
        parameters |= self.tag_parameter(inputs)
        answer = Call(xform_name(self.operation))(self.client, "", {}, **parameters)
        found = jmespath.search(self.made, {**answer, "inputs": inputs}) if self.made else None
        return Created(found or self.named.format_map(inputs))

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The parameters that create the object, without tags."""
        given = {n: v for n, v in inputs.items() if n not in self.handled}
        return self.request(given | {self.within: inputs} if self.within else given)

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """The parameter that tags the object at creation."""
        called = self.tagging.at_creation if self.tagging else "tags"
        return calls.parameter(self.client, self.operation, inputs.get("tags"), called)

    def tag_target(self, identity: str) -> str:
        """The identifier that the tagging calls expect."""
        return self.found(identity, {})[self.tagging.by] if self.tagging and self.tagging.by else identity

    def tags_of(self, identity: str) -> dict[str, str]:
        """The object's tags."""
        return self.tagging.current(self.client, self.tag_target(identity)) if self.tagging else {}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Wait until the object is available, apply changed properties of `in_place`, set tags."""
        if self.available:
            self.wait_for(identity)
        if changed & self.in_place - self.write_only:
            self.update(identity, inputs, changed)
        if "tags" in changed:
            self.retag(identity, inputs)

    def retag(self, identity: str, inputs: Properties) -> None:
        """Set the object's tags to those of the inputs."""
        if self.tagging:
            target = self.tag_target(identity)
            self.tagging.change(self.client, target, self.tags_of(identity), inputs.get("tags") or {})

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Apply the `changed` properties. Without `updates`, `operation` is called again."""
        if not self.updates:
            getattr(self.client, xform_name(self.operation))(**self.parameters(inputs))
        rows = [row for row in self.updates if changed & row.properties]
        known = self.describe(identity, inputs) or {} if any(row.other for row in rows) else {}
        for row in rows:
            parameters = {**row.without, **self.request(inputs, row.operation, only=row.properties)}
            if row.other and all(self.comparison.same(n, inputs.get(n), known.get(n)) for n in row.properties):
                continue
            if parameters or row.undone:
                call = getattr(self.client, row.operation if parameters else row.undone)
                call(**{self.subject or self.deleted.parameter: identity}, **parameters)

    @property
    def comparison(self) -> Comparison:
        """Compares the values of this type."""
        return Comparison(SCHEMAS[self.sdk_name].inputs, type(self))

    def ask(self, call: Call, identity: str, state: Properties) -> Any:
        """The result of a call (a row of the table) about the object."""
        known = {**self.parts(identity), **state}
        parameters = {} if call.parameter else self.request(known, call.operation)
        return call(self.client, identity, known, **parameters)

    def parts(self, identity: str) -> Properties:
        """The properties that an id of the pattern `named` contains."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(self.named)).replace(".+", ".+?", 1)
        found = re.fullmatch(pattern, identity)
        return found.groupdict() if found else {}

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        """The description of the object in AWS. Raises `GoneError`."""
        found = self.ask(self.described, identity, state)
        if not found:
            raise GoneError("the object no longer exists")
        found = dict(found)
        for call in self.reads:
            found |= self.ask(call, identity, state)
        return found

    def wait_for(self, identity: str) -> None:
        """Wait until the condition `available` is true."""

        def reached() -> Any:
            return jmespath.search(self.available, self.found(identity, {}))

        self.backend.wait(f"availability of {identity}", reached, self.patience)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Implements `read`. A not-found error of AWS means that the object doesn't exist."""
        return self.shown_as(identity, self.found(identity, state), state)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The properties in a description of AWS."""
        found = {**self.parts(identity), **self.properties(answer, *self.outputs)}
        found |= {name: jmespath.search(path, answer) for name, path in self.shown.items()}
        for name, pattern in self.built.items():
            found[name] = pattern.format(**{"id": identity, "aws": self.backend, "entry": self, **found})
        if self.tagging and self.tagging.in_description:
            found["tags"] = mapped(answer.get("Tags") or answer.get("tags"))
        elif self.tagging:
            found["tags"] = self.tags_of(identity)
        return found

    def remove(self, identity: str, state: Properties) -> None:
        """Implements `delete`. A not-found error of AWS means that the object is deleted already."""
        if not self.deleted.operation:
            return
        self.when_unused(lambda: self.ask(self.deleted, identity, state))
        if self.goes_slowly:
            self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None, self.patience)

    def when_unused(self, call: Callable[[], Any]) -> None:
        """Call a deletion, and retry it while an object that is being deleted still uses this one."""

        def attempt() -> bool:
            try:
                call()
            except Exception as error:
                if error_code(error) in self.in_use:
                    return False
                raise
            return True

        self.backend.wait("deletion of what is still in use", attempt)

    def read(self, identity: str, state: Properties) -> Properties | None:
        """The object's properties in AWS, or None if it doesn't exist."""
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
        """Delete the object, unless `skipDestroy` is set."""
        if not state.get("skipDestroy"):
            with contextlib.suppress(GoneError), gone_is_fine():
                self.remove(identity, state)

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Documents must be valid JSON; values must satisfy `bounds`, `choices` and `excluding`."""
        for name in self.documents & inputs.keys():
            try:
                json.loads(inputs[name])
            except (TypeError, json.JSONDecodeError) as error:
                yield name, f"is not valid JSON: {error}"
        for path, (low, high) in self.bounds.items():
            value = _within(inputs, path)
            if isinstance(value, int) and not low <= value <= high:
                yield path, f"{value} is not allowed: {low} to {high}"
        for path, choices in self.choices.items():
            value = _within(inputs, path)
            if value is not None and value not in choices:
                some = f"is not one of {', '.join(map(str, choices))}"
                yield path, f"{value!r} {some if len(choices) > 1 else f'is not carried out: {choices[0]} only'}"
        for rivals in self.excluding:
            given = [name for name in rivals if inputs.get(name)]
            if len(given) > 1:
                yield given[1], f"only one of {', '.join(given)} may be given"


def _within(value: Any, path: str) -> Any:
    """The value at a path of nested property names, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
