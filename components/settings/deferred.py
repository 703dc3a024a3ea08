"""Settings whose values are outputs of other resources: validated as soon as the value is known.

A preview that knows the value refuses it at once. Otherwise, the update fails when the value becomes known, and no resource
that depends on it is registered.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import pulumi

from .arguments import AtlantisArgs, Settings
from .problem import Problem
from .rules import RULES_OF_VALUES
from .rules.arns import of_other_accounts
from .rules.credentials import of_provider_ports
from .schema import Declared, Group, settings_of
from .values import UnacceptableError, contains_output

Refuse: TypeAlias = Callable[[str, object, UnacceptableError | list[Problem], bool], Exception]
"""The error for a key, its value, the reason, and whether the value is secret."""


@dataclasses.dataclass(frozen=True)
class _Output:
    """One output in the settings: the value of a setting, or an item of a list."""

    declared: Declared
    settings: Settings
    path: tuple[int | str, ...]
    """The position in a list, the key in a mapping, or the field of an object, from the outside in; empty for the value itself."""
    account: str
    refuse: Refuse


def validated_when_known(settings: Settings, account: str, refuse: Refuse) -> Settings:
    """`settings`, each output of which fails with `refuse`'s error once it is known and not accepted.

    Args:
        settings: settings that are valid as far as they are known.
        account: the account to which the stack is deployed.
        refuse: makes the error.
    """
    checked = settings
    for declared in settings_of(AtlantisArgs):
        value = _value(settings, declared)
        if contains_output(value):
            output = functools.partial(_Output, declared, settings, account=account, refuse=refuse)
            changed = _mapped(value, lambda path, item, output=output: _checked(output(path=path), item))
            checked = _with(checked, declared, changed)
    return checked


def _mapped(value: Any, change: Callable[[tuple[int | str, ...], Any], Any], path: tuple[int | str, ...] = ()) -> Any:
    """`value` with each plain value and each output in it changed."""
    if isinstance(value, Mapping):
        return {key: _mapped(item, change, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_mapped(item, change, (*path, number)) for number, item in enumerate(value))
    if isinstance(value, Group):
        names = [field.name for field in dataclasses.fields(value)]  # pyright: ignore[reportArgumentType]
        changed = {name: _mapped(getattr(value, name), change, (*path, name)) for name in names}
        return dataclasses.replace(value, **changed)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return change(path, value)


def _checked(output: _Output, value: Any) -> Any:
    if not isinstance(value, pulumi.Output):
        return value
    return pulumi.Output.all(value, value.is_secret()).apply(functools.partial(_accepted, output))


def _accepted(output: _Output, known: Sequence[Any]) -> Any:
    """The value as the setting's parser returns it.

    Raises:
        Exception: the error of `refuse`; the setting, or a rule between settings, doesn't accept the value.
    """
    value, secret = known
    declared = output.declared
    given = _mapped(_value(output.settings, declared), lambda path, item: value if path == output.path else item)
    try:
        parsed = declared.parse(given)
    except UnacceptableError as error:
        raise output.refuse(declared.key, given, error, secret) from None
    settings = _with(output.settings, declared, parsed)
    problems = [problem for rule in RULES_OF_VALUES for problem in rule(settings)]
    problems += of_other_accounts(settings, output.account)
    problems += of_provider_ports(output.settings, settings, declared.key, parsed)
    if problems:
        raise output.refuse(declared.key, given, problems, secret)
    return functools.reduce(_part, output.path, parsed)


def _part(value: Any, key: int | str) -> Any:
    return getattr(value, str(key)) if isinstance(value, Group) else value[key]


def _value(settings: Settings, declared: Declared) -> Any:
    return getattr(getattr(settings, declared.group) if declared.group else settings, declared.field.name)


def _with(settings: Settings, declared: Declared, value: Any) -> Settings:
    if not declared.group:
        return dataclasses.replace(settings, **{declared.field.name: value})
    changed = dataclasses.replace(getattr(settings, declared.group), **{declared.field.name: value})
    return dataclasses.replace(settings, **{declared.group: changed})
