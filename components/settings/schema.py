"""How settings are declared: a group is a frozen dataclass, each of its fields a setting with a parser and a default.

The docstring under a field describes the setting; `reference.py` writes `Pulumi.yaml` and `docs/settings.md` from it, and the
component package shows it in the SDKs that Pulumi generates.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, dataclass_transform, get_type_hints

from .values import Parser

T = TypeVar("T")
_PARSER = "parse"


class InvalidSettingError(Exception):
    """A rule reads a setting whose own value was refused already."""


def setting(parse: Parser[Any], *, default: Any = dataclasses.MISSING) -> Any:
    """One setting of a group; without a default it is required, a default of None means that it may be left out."""
    metadata = {_PARSER: parse}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    # A factory leaves no class attribute, which a rule would read in the place of a refused value.
    return dataclasses.field(default_factory=lambda: default, metadata=metadata)


class Group:
    """Settings that one part of the stack takes as a whole."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in type(self).__dataclass_fields__:
                raise InvalidSettingError(name)
            raise AttributeError(name)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting, dataclasses.field))
def group(declared: type[T]) -> type[T]:
    """Makes a frozen dataclass whose optional fields Pulumi's schema shows as optional too."""
    made = dataclasses.dataclass(frozen=True, kw_only=True)(declared)
    for field in dataclasses.fields(made):  # pyright: ignore[reportArgumentType]
        if field.name in made.__annotations__ and not is_required(field):
            # Pulumi's analyzer reads annotations only, not defaults.
            made.__annotations__[field.name] = Optional[made.__annotations__[field.name]]  # noqa: UP045
    return made


@dataclasses.dataclass(frozen=True)
class Declared:
    """One setting and where it belongs."""

    key: str
    """The configuration's key: `vpcId` for the field `vpc_id`."""
    group: str | None
    """The field of the arguments that holds the setting's group; None for a setting of the arguments themselves."""
    owner: type[Any]
    field: dataclasses.Field[Any]

    @property
    def required(self) -> bool:
        return is_required(self.field)

    @property
    def default(self) -> Any:
        """The default; None for a required setting."""
        return None if self.required else default_of(self.field)

    def parse(self, value: object) -> Any:
        """`value`, typed.

        Raises:
            UnacceptableError: the setting doesn't accept it.
        """
        return self.field.metadata[_PARSER](value)

    @property
    def type(self) -> str:
        """Its type in Pulumi's configuration schema: string, integer, boolean or array (of strings)."""
        hint = get_type_hints(self.owner)[self.field.name]
        accepted = [part for part in getattr(hint, "__args__", (hint,)) if part is not type(None)] or [hint]
        if "Sequence" in str(hint):
            return "array"
        return {bool: "boolean", int: "integer"}.get(accepted[0], "string")


def settings_of(arguments: type[Any]) -> Iterator[Declared]:
    """Every setting of `arguments`, a class whose fields are settings or groups, in the order of declaration."""
    for field in dataclasses.fields(arguments):
        if _PARSER in field.metadata:
            yield Declared(key_of(field.name), None, arguments, field)
        elif isinstance(owner := _group_class(arguments, field), type):
            for inner in dataclasses.fields(owner):
                yield Declared(key_of(inner.name), field.name, owner, inner)


def groups_of(arguments: type[Any]) -> dict[str, type[Any]]:
    """The groups of `arguments` by the name of the field."""
    found = {field.name: _group_class(arguments, field) for field in dataclasses.fields(arguments)}
    return {name: owner for name, owner in found.items() if owner}


def _group_class(arguments: type[Any], field: dataclasses.Field[Any]) -> type[Any] | None:
    hint = get_type_hints(arguments)[field.name]
    candidates: Sequence[Any] = getattr(hint, "__args__", (hint,))
    return next((part for part in candidates if isinstance(part, type) and issubclass(part, Group)), None)


def draft(owner: type[T], values: dict[str, Any]) -> T:
    """An instance of `owner` with these values only: reading another field raises `InvalidSettingError`."""
    instance = object.__new__(owner)
    for name, value in values.items():
        object.__setattr__(instance, name, value)
    return instance


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether the field has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def default_of(field: dataclasses.Field[Any]) -> Any:
    """The default of a field that has one."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def is_default(holder: Group, name: str) -> bool:
    """Whether the field `name` of a group has its default."""
    (field,) = (field for field in dataclasses.fields(type(holder)) if field.name == name)  # pyright: ignore[reportArgumentType]
    return getattr(holder, name) == default_of(field)


def key_of(field_name: str) -> str:
    """The configuration's key of a field: `vpc_id` is `vpcId`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field_name)
