"""How settings are declared: a group is a frozen dataclass, each of its fields a setting with a parser and a default.

The docstring under a field describes the setting; `reference.py` writes `Pulumi.yaml` and `docs/settings.md` from it, and the
component package shows it in the SDKs that Pulumi generates.
"""

import dataclasses
import re
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, TypeVar, cast, dataclass_transform, get_args, get_origin

import pulumi

from ..configuration.secret_names import holds_token
from .values import HiddenValueError, Parser, UnacceptableError, contains_output, shown

T = TypeVar("T")
_PARSER = "parse"
PLAIN_ONLY = (
    "must be known before the deployment, because the stack's resources, their names or the checks of other settings depend on it; use a "
    "plain value instead of an output"
)
"""Why a setting accepts no output."""
CREDENTIAL = (
    "must not contain a credential, and the value looks like one, so it isn't shown; store it in Secrets Manager, set only the secret's "
    "name (docs/server.md), and revoke this credential, because everyone who can read the stack's file has it"
)
"""Why no setting accepts a value in the format of a credential."""


class InvalidSettingError(Exception):
    """A rule reads a setting whose own value was refused already."""


def setting(parse: Parser[Any], *, default: Any = dataclasses.MISSING) -> Any:
    """One setting of a group; without a default it is required, a default of None means that it may be left out."""
    metadata = {_PARSER: parse}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    # A factory leaves no class attribute, which a rule would read instead of a refused value.
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

    @property
    def accepts_outputs(self) -> bool:
        """Whether the value, or each item of a list, can be an output of another resource: its type is `pulumi.Input`."""
        return any(get_origin(part) is Awaitable for part in _parts(self.field.type))

    def parse(self, value: object) -> Any:
        """`value`, typed. An output that the setting accepts stays an output, which `deferred.py` validates when it is known.

        Raises:
            UnacceptableError: the setting doesn't accept it.
        """
        # The fields of objects are settings themselves, so each says whether it accepts one.
        if contains_output(value) and not self.accepts_outputs and self.objects is None:
            raise UnacceptableError(PLAIN_ONLY)
        if isinstance(value, pulumi.Output):
            if self.objects:
                raise UnacceptableError(PLAIN_ONLY)
            if self.type == "object":
                raise UnacceptableError("must be a mapping; its values can be outputs, such as {Team: team.name}")
            if self.type == "array":
                raise UnacceptableError(
                    "must be a list, because the number of its items decides which resources exist or what they contain; "
                    "list the outputs of the single items, such as [ids[0], ids[1]]"
                )
            return cast("pulumi.Output[Any]", value)
        # Each field of an object is a setting, whose own message names the object.
        is_credential = self.objects is None and holds_token(shown(value))
        try:
            parsed = self.field.metadata[_PARSER](value)
        except UnacceptableError as refused:
            raise (
                HiddenValueError(CREDENTIAL) if is_credential and type(refused) is not HiddenValueError else refused
            ) from None
        if is_credential:
            raise HiddenValueError(CREDENTIAL)
        return parsed

    @property
    def objects(self) -> "type[Group] | None":
        """The group that the items of a list are; None for a setting without objects."""
        return next(
            (part for part in _parts(self.field.type) if isinstance(part, type) and issubclass(part, Group)), None
        )

    @property
    def type(self) -> str:
        """Its type in Pulumi's configuration schema: string, integer, boolean, array (of strings, or of `objects`) or object (of
        strings)."""
        if get_origin(self.field.type) is Mapping:
            return "object"
        if get_origin(self.field.type) is Sequence:
            return "array"
        return next((name for known, name in _SCALARS.items() if known in _parts(self.field.type)), "string")


_SCALARS = {bool: "boolean", int: "integer"}


def _parts(hint: Any) -> tuple[Any, ...]:
    """The members of a union, of the items of a list, or of the values of a mapping; otherwise the type itself."""
    if get_origin(hint) is Mapping:
        return _parts(get_args(hint)[1])
    if get_origin(hint) is Sequence:
        return _parts(get_args(hint)[0])
    return get_args(hint) or (hint,)


def known(value: pulumi.Input[T]) -> T:
    """The value of a setting from a stack's file, which has no outputs; only arguments of the component have.

    Raises:
        TypeError: the value is an output.
    """
    if isinstance(value, pulumi.Output | Awaitable):
        raise TypeError("an output has no value before the deployment")
    return value


def known_items(values: Sequence[pulumi.Input[T]]) -> list[T]:
    """The items of a list in a stack's file, none of which is an output."""
    return [known(value) for value in values]


def settings_of(arguments: type[Any]) -> Iterator[Declared]:
    """Every setting of `arguments`, a class whose fields are settings or groups, in the order of declaration."""
    for field in dataclasses.fields(arguments):
        if _PARSER in field.metadata:
            yield Declared(key_of(field.name), None, arguments, field)
        elif isinstance(owner := _group_class(field), type):
            for inner in dataclasses.fields(owner):
                yield Declared(key_of(inner.name), field.name, owner, inner)


def groups_of(arguments: type[Any]) -> dict[str, type[Any]]:
    """The groups of `arguments` by the name of the field."""
    found = {field.name: _group_class(field) for field in dataclasses.fields(arguments)}
    return {name: owner for name, owner in found.items() if owner}


def _group_class(field: dataclasses.Field[Any]) -> type[Any] | None:
    return next((part for part in _parts(field.type) if isinstance(part, type) and issubclass(part, Group)), None)


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


def changed(holder: Group, *names: str) -> dict[str, Any]:
    """Those of the fields `names` of a group that don't have their default, by key."""
    return {key_of(name): getattr(holder, name) for name in names if not is_default(holder, name)}


def key_of(field_name: str) -> str:
    """The configuration's key of a field: `vpc_id` is `vpcId`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field_name)
