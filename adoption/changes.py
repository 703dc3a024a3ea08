"""The effect of the adoption on each pair: no change, changes in place, kept old values, and problems."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adoption.kinds import REASONS
from adoption.leaves import leaves, text
from adoption.pairing import Pair, Pairing
from adoption.properties import MISSING, NOTHING, attribute, same, snake

NOT_IN_STATE = "not in the state"
"""The old value of a property that the state's provider version didn't know. The preview shows whether it changes."""


@dataclass(frozen=True)
class Change:
    """One property that differs. Values are shortened, and values of sensitive properties are hidden."""

    property: str
    old: str
    new: str
    why: str


@dataclass
class Adopted:
    """One pair, and the effect of the adoption on it."""

    pair: Pair
    changes: list[Change] = field(default_factory=list)
    """Properties that change in place."""
    kept: list[str] = field(default_factory=list)
    """Properties, or paths in them, that keep their old value."""
    refusals: list[Change] = field(default_factory=list)
    """Changes that would replace the resource, which must not be replaced."""


def judge(pair: Pair, pairing: Pairing) -> Adopted:
    """The effect of the adoption on a pair."""
    adopted = Adopted(pair)
    for name, old, new in _differences(pair, pairing):
        kept = _kept_path(pair, name, old, new, pairing)
        if kept:
            adopted.kept.append(kept)
        elif name not in pair.kind.force_new:
            adopted.changes += _shown(pair, name, old, new, pairing)
        elif old is not MISSING:
            adopted.refusals.append(Change(name, text(old, name), text(new, name), _why(name)))
    return adopted


def _differences(pair: Pair, pairing: Pairing) -> Iterator[tuple[str, Any, Any]]:
    kind = pair.kind
    for name, new in pair.wanted.inputs.items():
        old = _old(pair, name)
        if old is MISSING and (new not in NOTHING or name in kind.unread):
            yield name, old, new
        elif name == "tags" and _set_tags(old) == new:
            continue
        elif old is not MISSING and (
            not same(new, old, pairing.resolve) or name == "tags" or (name in kind.exact and _has_more(new, old))
        ):
            yield name, old, new
    for name, default in kind.defaults.items():
        old = attribute(pair.actual.attributes, name)
        if name not in pair.wanted.inputs and not _is_unset(old) and text(old) != default:
            yield name, old, None
    for name in sorted(kind.keep - pair.wanted.inputs.keys()):
        old = attribute(pair.actual.attributes, name)
        if not _is_unset(old) and "." not in name and name != "description":
            yield name, old, None


def _old(pair: Pair, name: str) -> Any:
    """The value of a property before the update, or `MISSING`, if the state doesn't have it or can't be relied on."""
    attributes = pair.actual.attributes
    if name == "tags" and attributes.get("tags_all"):
        return attributes["tags_all"]  # with the default tags of Terraform's provider, which an import reads as well
    old = attribute(attributes, name)
    # Terraform stores its own settings of these, and an import can't know them.
    is_unknown = name in pair.kind.unread or (name in pair.kind.assigned and _is_unset(old))
    return MISSING if is_unknown else old


def _set_tags(old: Any) -> Any:
    return old if isinstance(old, Mapping) else {}


def _is_unset(value: Any) -> bool:
    """Whether a value is Terraform's zero value, or consists of blocks that only have such values."""
    if isinstance(value, Mapping):
        return all(_is_unset(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_unset(item) for item in value)
    return value is MISSING or value in NOTHING


def _has_more(new: Any, old: Any) -> bool:
    """Whether a block of the state sets a property that the program's block doesn't."""
    return any(
        value not in NOTHING and all(snake(key) != name for key in item)
        for item, block in zip(new, old, strict=False)
        for name, value in block.items()
    )


def _kept_path(pair: Pair, name: str, old: Any, new: Any, pairing: Pairing) -> str:
    """`name`, or the part of it that differs, if the old value is kept; an empty string otherwise."""
    if name in pair.kind.keep:
        return name
    block = old[0] if isinstance(old, list) and old else old
    if not isinstance(new, Mapping) or not isinstance(block, Mapping):
        return ""
    differing = [key for key, value in new.items() if not same(value, attribute(block, key), pairing.resolve)]
    paths = [f"{name}.{key}" for key in differing]
    return paths[0] if len(paths) == 1 and paths[0] in pair.kind.keep else ""


def _shown(pair: Pair, name: str, old: Any, new: Any, pairing: Pairing) -> list[Change]:
    """The rows of one property. A property that only Terraform sets has no new value."""
    # The name of a list is plural in Pulumi and singular in Terraform.
    if {snake(name), snake(name).removesuffix("s")} & pair.actual.sensitive:
        return [Change(name, "(sensitive)", "(sensitive)", _why(name))]
    if old is MISSING:
        why = "AWS doesn't return it, so the update sets it" if name in pair.kind.unread else _why(name)
        return [Change(name, "none" if name in pair.kind.unread else NOT_IN_STATE, text(new, name), why)]
    if name == "tags":
        tags = sorted(_set_tags(old).keys() | new.keys())
        rows = ((tag, text(_set_tags(old).get(tag)), text(new.get(tag))) for tag in tags)
        return [Change(f"tags.{tag}", before, after, _why(name)) for tag, before, after in rows if before != after]
    if new is None:
        default = pair.kind.defaults.get(name) or "none"
        return [Change(name, text(old, name), default, "the program doesn't set it, so the provider's default applies")]
    rows = list(leaves(name, old, new, pairing.resolve)) or [(name, text(old, name), text(new, name))]
    return [Change(path, before, after, _why(name)) for path, before, after in rows]


def _why(name: str) -> str:
    return REASONS.get(name, "as the program has it")
