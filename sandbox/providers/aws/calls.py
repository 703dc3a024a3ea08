"""Rows: one call of AWS' API about one object. Which form its parameters have is botocore's knowledge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

__all__ = ["Call", "Tagging", "mapped", "pairs", "rename_tags"]


def _shape(client: Any, operation: str) -> Any:
    """The input of an operation, by the name of the client's method (`describe_vpcs`)."""
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape


@dataclass(frozen=True)
class Call:
    """`parameter` takes the object's id, alone or as a list of one; `path` (JMESPath) selects what is wanted of the answer."""

    operation: str
    parameter: str
    path: str = "@"

    def __call__(self, client: Any, identity: str, **more: Any) -> Any:
        """What the answer has at `path`, None where there is nothing."""
        listed = _shape(client, self.operation).members[self.parameter].type_name == "list"
        answer = getattr(client, self.operation)(**{self.parameter: [identity] if listed else identity}, **more)
        return jmespath.search(self.path, answer)


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
        tags = read(client, target)
        return tags if isinstance(tags, dict) else mapped(tags)

    def change(self, client: Any, target: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Set the tags to `new`."""
        added, removed = rename_tags(old, new)
        if added:
            Call(self.tag, self.target)(client, target, **parameter(client, self.tag, added))
        if removed:
            name, api = next((n, m) for n, m in _shape(client, self.untag).members.items() if "tag" in n.casefold())
            keys = removed if api.member.type_name == "string" else [{"Key": key} for key in removed]
            Call(self.untag, self.target)(client, target, **{name: keys})


def parameter(client: Any, operation: str, tags: Mapping[str, str] | None) -> dict[str, Any]:
    """The parameter of an operation that sets these tags: a map, or a list of pairs whose members each service names itself."""
    found = [(name, api) for name, api in _shape(client, operation).members.items() if name.casefold() == "tags"]
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


def rename_tags(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """(tags to set, keys to remove) for getting from the old tags to the new ones."""
    return {key: value for key, value in new.items() if old.get(key) != value}, [key for key in old if key not in new]
