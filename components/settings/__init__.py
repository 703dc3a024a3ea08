"""The settings of one stack: the only reader of the program's configuration.

`read()` is for the program, `parse()` for everything that has a stack file without an engine. Both either return settings that
are valid as a whole, or raise one `SettingsError` that lists every problem.
"""

import dataclasses
import difflib
import os
import re
from collections.abc import Collection, Mapping
from typing import Any

import pulumi
from pulumi.runtime import config as engine_config

from .rules import RULES
from .schema import REQUIRED, Settings
from .values import UnacceptableError

__all__ = ["NAMESPACE", "Settings", "SettingsError", "key_of", "parse", "read"]

NAMESPACE = "atlantis"


class SettingsError(pulumi.RunError):
    """Every problem of a stack's settings; the engine prints it without a traceback.

    Attributes:
        problems: one line each: key, value (never a secret), what is accepted.
    """

    def __init__(self, stack: str, problems: list[str]) -> None:
        self.problems = problems
        listed = "\n".join(
            f"  - {problem if problem.startswith('aws:') else f'{NAMESPACE}:{problem}'}" for problem in problems
        )
        count = f"{len(problems)} settings are" if len(problems) > 1 else "1 setting is"
        super().__init__(
            f"{count} wrong; nothing was touched. Correct Pulumi.{stack}.yaml (README.md, Settings):\n{listed}"
        )


def read() -> Settings:
    """The running stack's settings.

    Raises:
        SettingsError: a setting is missing, wrong, unknown or contradicts another.
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
    """The settings that `given` describes.

    Args:
        given: values by key, without the namespace; an empty string counts as left out, as Pulumi.yaml's defaults fill in.
        stack: the stack's name, the default of `environment`.
        region: the stack's AWS region.
        secret_keys: keys whose values no message may show.

    Raises:
        SettingsError: a setting is missing, wrong, unknown or contradicts another.
    """
    fields = {key_of(field.name): field for field in dataclasses.fields(Settings) if field.metadata}
    problems = [_unknown(key, fields) for key in given if key not in fields]
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        problems.append(f"aws:region = {region!r}: must be an AWS region such as ap-northeast-2")
    present = {key: value for key, value in given.items() if key in fields and value not in ("", None)}
    valid: dict[str, Any] = {}
    for key, field in fields.items():
        default = stack if key == "environment" else field.metadata["default"]
        if key not in present and default is REQUIRED:
            problems.append(f"{key}: missing; {_accepted(field)}")
        elif key not in present and key != "environment":
            valid[key] = default
        else:
            value = present.get(key, default)
            try:
                valid[key] = field.metadata["parse"](value)
            except UnacceptableError as refused:
                shown, reason = (
                    (repr(value), str(refused)) if key not in secret_keys else ("[secret]", "is not accepted")
                )
                problems.append(f"{key} = {shown}: {reason}")
    chosen = frozenset(key for key, value in valid.items() if value != fields[key].metadata["default"])
    context = valid | {"region": region, "chosen": chosen}
    problems += [_without_secrets(problem, fields, secret_keys) for rule in RULES for problem in rule(context)]
    if problems:
        raise SettingsError(stack, problems)
    return Settings(region=region, **{field.name: valid[key] for key, field in fields.items()})


def key_of(field_name: str) -> str:
    """The configuration's key of a field: `vpc_id` is `vpcId`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field_name)


def _unknown(key: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"{key}: no such setting" + (f"; did you mean {nearest[0]}?" if nearest else "; README.md lists them")


def _without_secrets(problem: str, known: Collection[str], secret_keys: Collection[str]) -> str:
    """A rule's line may quote a value, or a part of one, of every key that it names: with a secret one only the keys are left."""
    named = dict.fromkeys(word for word in re.findall(r"\w+", problem) if word in known)
    if not any(key in secret_keys for key in named):
        return problem
    return f"{', '.join(named)} = [secret]: not accepted as they are (README.md, Settings)"


def _accepted(field: dataclasses.Field[Any]) -> str:
    try:
        field.metadata["parse"](None)
    except UnacceptableError as accepted:
        return str(accepted)
    raise AssertionError(f"{field.name} accepts None")
