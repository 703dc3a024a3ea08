"""Rows: one call of AWS' API about one object. Which form its parameters have is botocore's knowledge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from botocore.exceptions import ClientError

__all__ = ["Call", "Change", "Tagging", "mapped", "pairs"]


def input_shape(client: Any, operation: str) -> Any:
    """The input of an operation, by its own name (`DescribeVpcs`) or that of the client's method (`describe_vpcs`)."""
    name = client.meta.method_to_api_mapping.get(operation, operation)
    return client.meta.service_model.operation_model(name).input_shape


@dataclass(frozen=True)
class Call:
    """`path` (JMESPath) selects what is wanted of the answer of `operation`.

    `parameter` takes the object's id, alone, as a list of one, or as one of EC2's filters (with hyphens). Without it, the
    parameters are the properties that the id is made of (`AwsResource.named`), and others that are known, which `path` may
    name too: `Aliases[?AliasName=='{id}']`. `more` is the same for every object.
    """

    operation: str
    parameter: str = ""
    path: str = "@"
    more: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, client: Any, identity: str, known: Mapping[str, Any], **parameters: Any) -> Any:
        """What the answer has at `path`, None where there is nothing."""
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
    """A row of `AwsResource.updates`: the operation that changes some properties of an object that exists."""

    operation: str
    properties: frozenset[str]
    undone: str = ""
    """The operation for when the program gives none of them any more."""
    without: Mapping[str, Any] = field(default_factory=dict)
    """Parameters for those that the program doesn't give."""
    new: bool = False
    """A new object needs the call too, since what makes it has no parameter for it."""
    other: bool = False
    """Only where AWS has another value: the operation refuses a change that changes nothing, or costs."""


@dataclass(frozen=True)
class Tagging:
    """How objects of a service are tagged: the parameter that says which object, and the calls."""

    target: str
    read: str | Call = "list_tags_for_resource"
    """A call that takes the object as tagging does, or one of its own."""
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    path: str = "Tags || tags || TagList"

    def current(self, client: Any, target: str) -> dict[str, str]:
        """The object's tags, without those that AWS reserves for itself."""
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


def parameter(client: Any, operation: str, tags: Mapping[str, str] | None) -> dict[str, Any]:
    """The parameter of an operation that sets these tags: a map, or a list of pairs whose members each service names itself."""
    found = [(name, api) for name, api in input_shape(client, operation).members.items() if name.casefold() == "tags"]
    if not tags or not found:
        return {}
    name, api = found[0]
    return {name: dict(tags) if api.type_name == "map" else pairs(tags, *api.member.members)}


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as the list of pairs that most APIs want."""
    return [{key: name, value: text} for name, text in tags.items()]


def mapped(tags: list[dict[str, str]] | None, key: str = "Key") -> dict[str, str]:
    """The inverse of `pairs`, without the tags that AWS reserves for itself."""
    shown = [{name.removeprefix("Tag").casefold(): text for name, text in tag.items()} for tag in tags or []]
    name = key.casefold()
    return {tag[name]: tag.get("value", "") for tag in shown if not tag[name].startswith("aws:")}
