"""Helpers for a call's parameters in the shape of botocore's service model."""

from collections.abc import Iterator, Mapping
from typing import Any


def requested_tags(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys for the tags in a request: ``aws:RequestTag/<name>`` and ``aws:TagKeys``."""
    pairs: dict[str, str] = {}
    keys: list[str] = []
    for name, value in parameters.items():
        if name.lower() == "tags" and isinstance(value, Mapping):
            pairs |= {str(key): str(text) for key, text in value.items()}
        elif name.lower() == "tags" and all(isinstance(tag, str) for tag in value):
            keys += value  # UntagLogGroup and others name the keys so
        elif name.lower() == "tags":
            lowered = [{key.lower().removeprefix("tag"): text for key, text in tag.items()} for tag in value]
            pairs |= {str(tag["key"]): str(tag.get("value", "")) for tag in lowered}
        elif name.lower() == "tagkeys":
            keys += map(str, value)
        elif name == "TagSpecifications":
            for specification in value:
                pairs |= {tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags", [])}
    found: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in pairs.items()}
    return found | ({"aws:TagKeys": [*pairs, *keys]} if pairs or keys else {})


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(name, value) of each scalar in a call's parameters."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, name)
    elif value is not None:
        yield name, value


def strings(value: Any) -> Iterator[str]:
    """Each string in a call's parameters."""
    return (text for _, text in leaves(value) if isinstance(text, str))


def listed(value: Any) -> list[Any]:
    """The value as a list: a list or tuple, a single value, or None."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def plain(name: str) -> str:
    """A lower-case name without hyphens, so that condition keys (``ecs:task-cpu``) match parameters (``taskCpu``)."""
    return name.replace("-", "").lower()


def grouped(parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """The scalars as strings, by their `plain` name: the possible values of the condition key of that name."""
    found: dict[str, list[str]] = {}
    for name, value in leaves(parameters):
        found.setdefault(plain(name), []).append(str(value).lower() if isinstance(value, bool) else str(value))
    return found
