"""Settings that are lists of objects: each object is a group whose fields are settings."""

import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import pulumi

from .schema import PLAIN_ONLY, Declared, Group, key_of
from .values import HiddenValueError, Parser, UnacceptableError, as_list

T = TypeVar("T", bound=Group)


def list_of_groups(group: type[T], *, at_most: int) -> Parser[tuple[T, ...]]:
    """A list of objects with the fields of `group`, as YAML, as the engine's JSON, or as instances of `group`.

    Messages show no object as a whole, because it can contain what its owner takes for a secret.
    """

    def parse(value: object) -> tuple[T, ...]:
        given = as_list(value)
        if len(given) > at_most:
            raise HiddenValueError(f"must have at most {at_most} items, not {len(given)}")
        return tuple(_parsed(group, item, position) for position, item in enumerate(given, start=1))

    return parse


def _parsed(group: type[T], item: object, position: int) -> T:
    if isinstance(item, pulumi.Output):
        raise UnacceptableError(PLAIN_ONLY)
    if isinstance(item, Mapping):
        # The component host passes Python names.
        given = {key_of(str(name)): value for name, value in item.items()}
    elif isinstance(item, group):
        given = {key_of(field.name): getattr(item, field.name) for field in dataclasses.fields(item)}  # pyright: ignore[reportArgumentType]
    else:
        raise HiddenValueError(f"item {position} must be an object with the keys {', '.join(_declared(group))}")
    # What isn't a name can be a secret.
    names = (name for name in (given.get("name"),) if isinstance(name, str) and re.fullmatch(r"[\w-]+", name, re.ASCII))
    where = f"item {position}" + "".join(f" ({name})" for name in names)
    values: dict[str, Any] = {}
    for key, declared in _declared(group).items():
        raw = given.pop(key, None)
        if raw is None and declared.required:
            raise HiddenValueError(f"{where} has no {key}")
        try:
            values[declared.field.name] = declared.default if raw is None else declared.parse(raw)
        except UnacceptableError as refused:
            raise HiddenValueError(f"{where}: {key} {refused}") from None
    for unknown in given:
        nearest = difflib.get_close_matches(unknown, _declared(group), n=1)
        raise HiddenValueError(
            f"{where} has the unknown key {unknown if re.fullmatch(r'[A-Za-z]+', unknown) else '[hidden]'}; "
            + (f"did you mean {nearest[0]}?" if nearest else f"it can have {', '.join(_declared(group))}")
        )
    return group(**values)


def _declared(group: type[Group]) -> dict[str, Declared]:
    """The settings of an object by key."""
    fields = dataclasses.fields(group)  # pyright: ignore[reportArgumentType]
    return {key_of(field.name): Declared(key_of(field.name), None, group, field) for field in fields}
