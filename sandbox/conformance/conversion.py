"""Converts the engine's state of a stack to a Terraform configuration with references instead of IDs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.conformance.naming import ProviderSchema

_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the marker of a secret in the engine's state
_STORED = json.dumps({"webhook_secret": "placeholder-" + "0" * 32})
"""Replaces a secret's value, which is encrypted in the engine's state."""
_PASSWORD = "placeholder" + "0" * 32
_MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[a-z]+-[0-9a-f]{8,17}\b|/[0-9a-z]{16}\b|-[A-Za-z0-9]{6}$")
"""Parts of an ID that AWS generated, which identify one resource wherever they occur."""


def configuration(resources: Sequence[Mapping[str, Any]], schema: ProviderSchema) -> dict[str, dict[str, Any]]:
    """Terraform's resources by type and name, with the arguments, for the AWS resources of the engine's ``resources``.

    Raises:
        LookupError: the provider lacks a resource type or an argument.
        ValueError: two resources would have the same type and name, so that one of them would be lost.
    """
    own = [
        item
        for item in resources
        if item.get("custom") and item["type"].startswith("aws:") and not item.get("external")
    ]
    addresses = {item["urn"]: (schema.type_of(item["type"]), _label(item["urn"])) for item in own}
    by_urn = {item["urn"]: item for item in own}
    given = {urn: _given(urn, by_urn) for urn in by_urn}
    found: dict[str, dict[str, Any]] = {}
    for item in own:
        type_, name = addresses[item["urn"]]
        needed = [urn for urn in _dependencies(item) if urn in by_urn and urn != item["urn"]]
        others = [urn for urn in by_urn if urn not in needed and urn != item["urn"]]
        references = [
            *_references([by_urn[urn] for urn in needed], addresses, given, schema, only_made_up=False),
            *_references([by_urn[urn] for urn in others], addresses, given, schema, only_made_up=True),
        ]
        references.sort(key=lambda pair: -len(pair[0]))
        arguments = schema.arguments(type_, _plain(item["inputs"]))
        if name in found.setdefault(type_, {}):
            raise ValueError(
                f"two resources of the type {type_} would have the label {name}; the second one is {item['urn']}. "
                "Give one of them another name"
            )
        found[type_][name] = {
            **_referring(arguments, references),
            **({"depends_on": [".".join(addresses[urn]) for urn in needed]} if needed else {}),
        }
    return found


def _label(urn: str) -> str:
    # urn:pulumi:<stack>::<project>::<types>::<name>; a name with an IPv6 range contains the separator too.
    return re.sub(r"[^A-Za-z0-9_-]", "_", urn.split("::", 3)[3])


def _dependencies(item: Mapping[str, Any]) -> list[str]:
    by_property = (urn for urns in (item.get("propertyDependencies") or {}).values() for urn in urns or [])
    return list(dict.fromkeys([*(item.get("dependencies") or []), *by_property]))


def _given(urn: str, by_urn: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The texts in the inputs of a resource and of all that it depends on. The resource is the origin of none of them."""
    found: set[str] = set()
    reached, waiting = {urn}, [urn]
    while waiting:
        item = by_urn[waiting.pop()]
        found.update(value for value in item["inputs"].values() if isinstance(value, str))
        waiting += (new := {other for other in _dependencies(item) if other in by_urn} - reached)
        reached |= new
    return found


def _references(
    items: Sequence[Mapping[str, Any]],
    addresses: Mapping[str, tuple[str, str]],
    given: Mapping[str, set[str]],
    schema: ProviderSchema,
    *,
    only_made_up: bool,
) -> Iterator[tuple[str, str]]:
    """The value and the reference of each string in the outputs of ``items``."""
    for item in items:
        type_, name = addresses[item["urn"]]
        outputs = {"id": item["id"], **(item.get("outputs") or {})}
        for property_, value in outputs.items():
            attribute = "id" if property_ == "id" else schema.attribute_of(type_, property_)
            if not isinstance(value, str) or len(value) < 6 or attribute is None or value in given[item["urn"]]:
                continue
            # A refreshed secret has the document that another resource attaches to it.
            if value.startswith("{"):
                continue
            if not only_made_up or _MADE_UP.search(value):
                yield value, f"${{{type_}.{name}.{attribute}}}"


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        if _SECRET in value:
            return _STORED if name == "secretString" else _PASSWORD
        return {key: _plain(item, key) for key, item in value.items() if not key.startswith("__")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _referring(value: Any, references: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        return {key: _referring(item, references) for key, item in value.items()}
    if isinstance(value, list):
        return [_referring(item, references) for item in value]
    if not isinstance(value, str):
        return value
    text = value.replace("${", "$${").replace("%{", "%%{")
    marks: dict[str, str] = {}
    for known, reference in references:
        if known in text and (known == text or _MADE_UP.search(known) or known.startswith("arn:")):
            # Marked first, so that a shorter value isn't found within a reference.
            marks[mark := f"\0{len(marks)}\0"] = reference
            text = text.replace(known, mark)
    for mark, reference in marks.items():
        text = text.replace(mark, reference)
    return text
