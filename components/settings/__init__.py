"""The settings of one Atlantis, from a stack's configuration or from arguments of the component.

`read()` is for the program, `parse()` for a stack file without an engine, `validate()` for arguments. Each returns settings
that are valid as a whole, or raises one `SettingsError` with all problems.
"""

import dataclasses
import difflib
import inspect
import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pulumi
from pulumi.runtime import config as engine_config

from ..configuration.secret_names import redacted
from .arguments import AtlantisArgs, Settings
from .deferred import validated_when_known
from .problem import Problem
from .rules import RULES
from .rules.arns import of_other_accounts
from .schema import Declared, Group, InvalidSettingError, draft, groups_of, settings_of
from .values import HiddenValueError, NotAListError, UnacceptableError, shown

__all__ = [
    "NAMESPACE",
    "AtlantisArgs",
    "Settings",
    "SettingsError",
    "in_own_account",
    "parse",
    "read",
    "validate",
]

NAMESPACE = "atlantis"

_DECLARED = {declared.key: declared for declared in settings_of(AtlantisArgs)}


class SettingsError(pulumi.RunError):
    """All problems of the settings. The engine prints it without a traceback.

    Attributes:
        problems: one line each: key, value (never in the format of a credential), accepted values.
    """

    def __init__(
        self, where: str, problems: list[str], *, prefix: str = f"{NAMESPACE}:", changed: str = "nothing was changed"
    ) -> None:
        self.problems = [redacted(problem) for problem in problems]
        listed = "\n".join(
            f"  - {problem if problem.startswith('aws:') else f'{prefix}{problem}'}" for problem in self.problems
        )
        count = f"{len(problems)} settings are" if len(problems) > 1 else "1 setting is"
        super().__init__(f"{count} invalid; {changed}. Fix {where} (docs/settings.md):\n{listed}")


def read() -> Settings:
    """The running stack's settings.

    Raises:
        SettingsError: a setting is missing, invalid, unknown or contradicts another.
    """
    everything = engine_config.get_config_env() | engine_config.CONFIG.get()
    own = {key.split(":", 1)[1]: value for key, value in everything.items() if key.startswith(f"{NAMESPACE}:")}
    secret = {
        key
        for key in own
        if engine_config.is_config_secret(f"{NAMESPACE}:{key}")
        or f"{NAMESPACE}:{key}" in engine_config.get_config_secret_keys_env()
    }
    region = pulumi.Config("aws").get("region") or os.environ.get("AWS_REGION", "")
    return parse(own, stack=pulumi.get_stack(), region=region, secret_keys=secret)


def parse(given: Mapping[str, object], *, stack: str, region: str, secret_keys: Collection[str] = ()) -> Settings:
    """The settings that a stack's configuration describes.

    Args:
        given: values by key, without the namespace; an empty string counts as not set, as Pulumi.yaml's defaults fill in.
        stack: the stack's name, the default of `environment`.
        region: the stack's AWS region.
        secret_keys: keys whose values no message may show.

    Raises:
        SettingsError: a setting is missing, invalid, unknown or contradicts another.
    """
    named = {"environment": stack} | {key: value for key, value in given.items() if value not in ("", None)}
    settings, problems = _resolve(named, region, secret_keys)
    if settings is None:
        raise SettingsError(f"Pulumi.{stack}.yaml", problems)
    return settings


def validate(args: AtlantisArgs | Mapping[str, Any], *, name: str, region: str) -> Settings:
    """Arguments of the component `name`, valid as a whole.

    Args:
        args: typed arguments, or the mapping of the same shape that Pulumi's component host passes.
        name: the component's name, for the message.
        region: the region of the component's AWS provider.

    Raises:
        SettingsError: an argument is missing, invalid, unknown or contradicts another.
    """
    if isinstance(args, Settings):
        return args
    settings, problems = _resolve(dict(_flat(args)), region, (), arguments=True)
    if settings is None:
        raise SettingsError(f"the arguments of Atlantis {name!r}", problems, prefix="")
    return settings


def in_own_account(settings: Settings, account: str, *, name: str) -> Settings:
    """`settings` whose ARNs are all of the stack's account where AWS or the stack supports only its own.

    An output is validated when it becomes known, before a resource that depends on it is registered.

    Raises:
        SettingsError: with every ARN of another account.
    """
    problems = [_text(problem, ()) for problem in of_other_accounts(settings, account)]
    if problems:
        raise SettingsError("the ARNs, or deploy to their account", problems)

    def refuse(key: str, value: object, reason: UnacceptableError | list[Problem], secret: bool) -> SettingsError:
        secret_keys = (key,) if secret else ()
        refused = (
            [_text(problem, secret_keys) for problem in reason]
            if isinstance(reason, list)
            else [_refusal(key, value, reason, secret=secret, arguments=True)]
        )
        where = f"the arguments of Atlantis {name!r}"
        return SettingsError(where, refused, prefix="", changed="nothing that depends on its value was changed")

    return validated_when_known(settings, account, refuse)


def _flat(args: AtlantisArgs | Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The values of nested arguments by configuration key; unknown arguments keep their name, so that they are rejected."""
    nested = _fields(args)
    keys = {(declared.group, declared.field.name): declared.key for declared in _DECLARED.values()}
    groups = groups_of(AtlantisArgs)
    for name, value in nested.items():
        is_group = name in groups and isinstance(value, Mapping | Group)
        holder = name if is_group else None
        for field, setting in (_fields(value) if is_group else {name: value}).items():
            if setting is not None:
                yield keys.get((holder, field), f"{holder}.{field}" if holder else field), _as_output(setting)


def _fields(holder: Any) -> Mapping[str, Any]:
    """The fields of typed arguments as they are: `dataclasses.asdict` would copy outputs, which can't be copied."""
    if isinstance(holder, Mapping):
        return holder
    return {field.name: getattr(holder, field.name) for field in dataclasses.fields(holder)}


def _as_output(value: Any) -> Any:
    """`value` with each awaitable, which Pulumi accepts as an input too, as an output."""
    if isinstance(value, list | tuple):
        return type(value)(_as_output(item) for item in value)
    if isinstance(value, dict):
        return {key: _as_output(item) for key, item in value.items()}
    return pulumi.Output.from_input(value) if inspect.isawaitable(value) else value


def _resolve(
    given: Mapping[str, object], region: str, secret_keys: Collection[str], *, arguments: bool = False
) -> tuple[Settings | None, list[str]]:
    """Typed settings, or None and all problems, whose hints are for the component's `arguments` or for a stack's configuration."""
    problems = [_unknown(key, arguments=arguments) for key in given if key not in _DECLARED]
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        problems.append(f"aws:region = {region!r}: must be an AWS region such as ap-northeast-2")
    valid: dict[str, Any] = {}
    for key, declared in _DECLARED.items():
        if key not in given and declared.required:
            problems.append(f"{key}: missing; {_accepted(declared)}")
        elif key not in given:
            valid[key] = declared.default
        else:
            try:
                valid[key] = declared.parse(given[key])
            except UnacceptableError as refused:
                secret = key in secret_keys
                problems.append(_refusal(key, given[key], refused, secret=secret, arguments=arguments))
    settings = _settings(valid, region)
    problems += [_text(problem, secret_keys) for problem in _contradictions(settings)]
    return (None if problems else settings), problems


def _settings(valid: Mapping[str, Any], region: str) -> Settings:
    """Settings with the valid values only; a rule that reads an invalid one raises `InvalidSettingError`."""
    values: dict[str, Any] = {"region": region}
    groups: dict[str, dict[str, Any]] = {name: {} for name in groups_of(AtlantisArgs)}
    for key, value in valid.items():
        declared = _DECLARED[key]
        (groups[declared.group] if declared.group else values)[declared.field.name] = value
    values |= {name: draft(owner, groups[name]) for name, owner in groups_of(AtlantisArgs).items()}
    return draft(Settings, values)


def _contradictions(settings: Settings) -> Iterator[Problem]:
    for rule in RULES:
        try:
            yield from rule(settings)
        except InvalidSettingError:
            continue


def _unknown(key: str, *, arguments: bool) -> str:
    names = [
        f"{declared.group}.{declared.field.name}" if declared.group else declared.field.name
        for declared in _DECLARED.values()
    ]
    nearest = difflib.get_close_matches(key, names if arguments else _DECLARED, n=1, cutoff=0.6)
    return f"{key}: unknown setting" + (
        f"; did you mean {nearest[0]}?" if nearest else "; docs/settings.md lists all settings"
    )


def _refusal(key: str, value: object, refused: UnacceptableError, *, secret: bool, arguments: bool) -> str:
    if secret:
        return f"{key} = [secret]: the value isn't valid (docs/settings.md)"
    if isinstance(refused, NotAListError) and arguments:
        return f"{key}: {refused}; write a single item as a list, too: [item]"
    if isinstance(refused, NotAListError):
        return f"{key}: {refused}; to set its first item: pulumi config set --plaintext --path '{NAMESPACE}:{key}[0]' <value>"
    return f"{key}{'' if isinstance(refused, HiddenValueError) else f' = {shown(value)}'}: {refused}"


def _text(problem: Problem, secret_keys: Collection[str]) -> str:
    """The problem as text. The reason may contain values, so with a secret value, the text has only the keys."""
    if any(key in secret_keys for key in problem.keys):
        return (
            f"{', '.join(problem.keys)} = [secret]: the combination with other settings isn't valid (docs/settings.md)"
        )
    values = [key if value is None else f"{key} = {shown(value)}" for key, value in problem.keys.items()]
    return f"{', '.join(values)}: {problem.reason}"


def _accepted(declared: Declared) -> str:
    try:
        declared.parse(None)
    except UnacceptableError as accepted:
        return str(accepted)
    raise AssertionError(f"{declared.key} accepts None")
