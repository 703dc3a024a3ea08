"""The part of an AWS resource's entry that is the same for all of them."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import jmespath
from botocore import xform_name

from sandbox.providers.aws import calls
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.aws.mapping import Renamed, from_api, to_api
from sandbox.providers.aws.session import Session, error_code, gone_is_fine, is_gone
from sandbox.providers.resource import Created, Resource
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
    made: ClassVar[str] = ""
    """Where the answer of `operation` has the new object's id (JMESPath)."""
    named: ClassVar[str] = ""
    """The id where the inputs say it: `{role}:{name}`."""
    described: ClassVar[Call]
    deleted: ClassVar[Call]
    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are no inputs, and are in the description by their own names."""
    tagging: ClassVar[Tagging | None] = None
    available: ClassVar[tuple[str, str] | None] = None
    """The member of the description that has the object's state, and the state to wait for."""
    goes_slowly: ClassVar[bool] = False
    """Deletion takes a while, and what the object used is in use until then."""
    in_use: ClassVar[frozenset[str]] = frozenset()
    """Error codes that refuse a deletion while something else, which may be going, uses the object."""
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

    def create(self, inputs: Properties) -> Created:
        """One call of `operation`."""
        call = getattr(self.client, xform_name(self.operation))
        answer = call(**self.parameters(inputs), **self.tag_parameter(inputs))
        return Created(self.named.format_map(inputs) if self.named else jmespath.search(self.made, answer))

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The parameters that create the object, tags apart."""
        return self.request(inputs)

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """The parameter that tags the object as it is made."""
        return calls.parameter(self.client, xform_name(self.operation), inputs.get("tags"))

    def tag_target(self, identity: str) -> str:
        """What the tagging calls take."""
        return identity

    def tags_of(self, identity: str) -> dict[str, str]:
        """The object's tags."""
        return self.tagging.current(self.client, self.tag_target(identity)) if self.tagging else {}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """What takes calls of its own: waiting, `update` where a property of `in_place` changed, tags."""
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
        """Carry out the `changed` properties; by default what made the object is put again."""
        getattr(self.client, xform_name(self.operation))(**self.parameters(inputs))

    def found(self, identity: str) -> Mapping[str, Any]:
        """The object as AWS describes it; raises `GoneError`."""
        found = self.described(self.client, identity)
        if not found:
            raise GoneError("the object is gone")
        return found

    def wait_for(self, identity: str, limit: float = 120.0) -> None:
        """Wait until the object has the state that `available` names."""
        assert self.available  # noqa: S101 - asked for by entries that have it
        member, wanted = self.available

        def reached() -> bool:
            return str(self.found(identity)[member]).lower() == wanted

        self.backend.wait(f"state {wanted} of {identity}", reached, limit)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """`read`; a not-found error of AWS means that the object is gone."""
        found = self.properties(self.found(identity), *self.outputs)
        return {**found, "tags": self.tags_of(identity)} if self.tagging else found

    def remove(self, identity: str, state: Properties) -> None:
        """`delete`; a not-found error of AWS means that it is done."""
        self.when_unused(lambda: self.deleted(self.client, identity))
        if self.goes_slowly:
            self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)

    def when_unused(self, call: Callable[[], Any]) -> None:
        """Delete what may still be in use for a moment by something that is being deleted."""

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
