"""Table rows for API calls about one object. botocore's service model determines the form of the parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError


def input_shape(client: Any, operation: str) -> Any:
    """The input shape of an operation, by its name (`DescribeVpcs`) or the client's method (`describe_vpcs`)."""
    name = client.meta.method_to_api_mapping.get(operation, operation)
    return client.meta.service_model.operation_model(name).input_shape


@dataclass(frozen=True)
class Call:
    """A call of `operation`; `path` (JMESPath) selects the result in the response.

    `parameter` receives the object's id: as a string, as a list of one, or as a filter of EC2 (name with hyphens).
    Without it, the parameters are the properties in the id (`AwsResource.named`) and other known properties. `path` may
    refer to them too: `Aliases[?AliasName=='{id}']`. `more` contains constant parameters.
    """

    operation: str
    parameter: str = ""
    path: str = "@"
    more: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, client: Any, identity: str, known: Mapping[str, Any], **parameters: Any) -> Any:
        """The result at `path`, or None."""
        if "-" in self.parameter:
            parameters["Filters"] = [{"Name": self.parameter, "Values": [identity]}]
        elif self.parameter:
            listed = input_shape(client, self.operation).members[self.parameter].type_name == "list"
            parameters[self.parameter] = [identity] if listed else identity
        values = {**known, "id": identity}
        path = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]).replace("'", r"\'"), self.path)
        if "[?" in self.path and client.can_paginate(self.operation):
            answer = client.get_paginator(self.operation).paginate(**parameters, **self.more).build_full_result()
        else:
            answer = getattr(client, self.operation)(**parameters, **self.more)
        for failed in answer.get("Unsuccessful") or ():
            raise ClientError({"Error": failed["Error"]}, self.operation)
        return jmespath.search(path, answer)


@dataclass(frozen=True)
class Change:
    """A row of `AwsResource.updates`: the operation that changes some properties of an existing object."""

    operation: str
    properties: frozenset[str]
    undone: str = ""
    """The operation that is called if the program no longer sets any of the properties."""
    without: Mapping[str, Any] = field(default_factory=dict)
    """Parameters for properties that the program doesn't set."""
    new: bool = False
    """Whether a new object needs the call too, because `operation` has no parameter for the properties."""
    other: bool = False
    """Whether to call it only if AWS' value differs: the operation rejects, or charges for, a change without effect."""


@dataclass(frozen=True)
class Tagging:
    """How objects of a service are tagged: the parameter that identifies the object, and the operations."""

    target: str
    read: str | Call = "list_tags_for_resource"
    """An operation with the same parameter as tagging, or a `Call`."""
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    path: str = "Tags || tags || TagList"
    by: str = ""
    """The member of the description that identifies the object, if that isn't the id."""
    at_creation: str = "tags"
    """The parameter of the creation, in any case."""
    in_description: bool = False
    """Whether the description contains the tags, so that `read` isn't necessary."""

    def current(self, client: Any, target: str) -> dict[str, str]:
        """The object's tags, without those that AWS reserves."""
        read = self.read if isinstance(self.read, Call) else Call(self.read, self.target, self.path)
        tags = read(client, target, {})
        return tags if isinstance(tags, dict) else mapped(tags)

    def change(self, client: Any, target: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Set the tags to `new`."""
        added = {key: value for key, value in new.items() if old.get(key) != value}
        removed = [key for key in old if key not in new]
        if added:
            Call(self.tag, self.target)(client, target, {}, **parameter(client, self.tag, added))
        if removed:
            members = input_shape(client, self.untag).members.items()
            name, api = next((name, api) for name, api in members if "tag" in name.casefold())
            keys = removed if api.member.type_name == "string" else [{"Key": key} for key in removed]
            Call(self.untag, self.target)(client, target, {}, **{name: keys})


def parameter(client: Any, operation: str, tags: Mapping[str, str] | None, called: str = "tags") -> dict[str, Any]:
    """The parameter of an operation that sets the tags: a map, or a list of pairs with the service's member names."""
    members = input_shape(client, operation).members.items()
    found = [(name, api) for name, api in members if name.casefold() == called.casefold()]
    if not tags or not found:
        return {}
    name, api = found[0]
    return {name: dict(tags) if api.type_name == "map" else pairs(tags, *api.member.members)}


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as a list of pairs, the form that most APIs expect."""
    return [{key: name, value: text} for name, text in tags.items()]


def mapped(tags: list[dict[str, str]] | None, key: str = "Key") -> dict[str, str]:
    """The inverse of `pairs`, without the tags that AWS reserves."""
    shown = [{name.removeprefix("Tag").casefold(): text for name, text in tag.items()} for tag in tags or []]
    name = key.casefold()
    return {tag[name]: tag.get("value", "") for tag in shown if not tag[name].startswith("aws:")}
