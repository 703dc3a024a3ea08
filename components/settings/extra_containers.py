"""Containers of the operator's own in the task, next to the server's."""

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import Input

from . import accepted, values
from .schema import PLAIN_ONLY, Group, group, key_of, setting, settings_of

NOBODY = "65534:65534"
STACKS_OWN = ("agent", "atlantis", "certificates", "task-protection")
"""Names of the containers that the settings can add to the server's task."""
_VARIABLE = values.matching(
    r"[A-Za-z_]\w{0,127}", "the name of a variable: letters, digits and _", values.HiddenValueError
)
_VALUE = values.matching(
    r"[^\x00]{0,4096}", "a string of at most 4096 characters; quote numbers and booleans", values.HiddenValueError
)
_WORDS = values.list_of(
    values.matching(r"[^\x00]{0,8192}", "a string; quote numbers and booleans", values.HiddenValueError),
    at_most=100,
    unique=False,
)
_PLACE = r"[a-z0-9-]+:[0-9]{12}"
_SECRET = re.compile(
    rf"(arn:aws[\w-]*:secretsmanager:{_PLACE}:secret:[\w/+=.@-]{{1,512}}-[A-Za-z0-9]{{6}})(:[\w.-]*:[\w.-]*:[\w.-]*)?",
    re.ASCII,
)
_PARAMETER = re.compile(rf"arn:aws[\w-]*:ssm:{_PLACE}:parameter/[\w./-]{{1,1011}}", re.ASCII)


def _digest(value: object) -> str:
    """An image that a push can't change."""
    image = accepted.image(value)
    if "@sha256:" not in image:
        raise values.UnacceptableError(
            f"must have a digest, not only a tag, because a push would change a container that shares the task with the server; "
            f"`docker buildx imagetools inspect {image}` prints it: {image.partition('@')[0].rpartition(':')[0]}@sha256:..."
        )
    return image


def _secret(value: object) -> str:
    if not isinstance(value, str) or not (_SECRET.fullmatch(value) or _PARAMETER.fullmatch(value)):
        raise values.HiddenValueError(
            "must be the full ARN of a secret (arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six characters>, and "
            ":<JSON key>:: for one of its keys) or of a parameter (arn:aws:ssm:<region>:<account>:parameter/<name>)"
        )
    return value


@group
class ExtraContainerArgs(Group):
    """A container of your own in the task: it shares the task's network and its role, and none of its files."""

    name: str = setting(values.matching(r"[a-z][a-z0-9-]{0,61}", "1 to 62 lowercase letters, digits and hyphens"))
    """Required. Name, also of its log streams"""
    image: Input[str] = setting(_digest)
    """Required. registry/repository@sha256:<digest>"""
    command: Sequence[str] = setting(_WORDS, default=())
    """Arguments of the entry point. Empty: the image's"""
    entry_point: Sequence[str] = setting(_WORDS, default=())
    """Program and its first arguments. Empty: the image's"""
    environment: Mapping[str, Input[str]] = setting(values.mapping_of(_VARIABLE, _VALUE), default={})
    """Variables in plaintext. Not for secrets"""
    secrets: Mapping[str, Input[str]] = setting(values.mapping_of(_VARIABLE, _secret, at_most=10), default={})
    """Variables from secrets: the ARN of a secret of Secrets Manager, with :<JSON key>:: for one of its keys, or of a parameter of
    Systems Manager"""
    user: str = setting(
        values.matching(r"\d{1,5}:\d{1,5}", "user and group IDs such as 1000:1000; 0:0 is root"), default=NOBODY
    )
    """User and group IDs of its process, which has no capabilities"""
    cpu: int = setting(values.integer(range(16, 8193)), default=128)
    """CPU units while the task is busy, taken from those of the stack's containers"""
    memory: int = setting(values.integer(range(16, 65537)), default=256)
    """Memory limit in MiB. ECS restarts a container that needs more"""


_MOST = 5
_DECLARED = {declared.key: declared for declared in settings_of(ExtraContainerArgs)}


def extra_containers(value: object) -> tuple[ExtraContainerArgs, ...]:
    """A list of objects, as YAML, as the engine's JSON, or typed. Messages show no object, because it can contain a secret."""
    given = values.as_list(value)
    if len(given) > _MOST:
        raise values.HiddenValueError(f"must have at most {_MOST} items, not {len(given)}")
    return tuple(_parsed(item, position) for position, item in enumerate(given, start=1))


def _parsed(item: object, position: int) -> ExtraContainerArgs:
    if isinstance(item, pulumi.Output):
        raise values.UnacceptableError(PLAIN_ONLY)
    if isinstance(item, Mapping):
        # The component host passes Python names.
        given = {key_of(str(name)): value for name, value in item.items()}
    elif isinstance(item, ExtraContainerArgs):
        given = {key_of(field.name): getattr(item, field.name) for field in dataclasses.fields(item)}  # pyright: ignore[reportArgumentType]
    else:
        raise values.HiddenValueError(f"item {position} must be an object with the keys {', '.join(_DECLARED)}")
    # What isn't a name can be a secret.
    names = (name for name in (given.get("name"),) if isinstance(name, str) and re.fullmatch(r"[\w-]+", name, re.ASCII))
    where = f"item {position}" + "".join(f" ({name})" for name in names)
    parsed: dict[str, Any] = {}
    for key, declared in _DECLARED.items():
        raw = given.pop(key, None)
        if raw is None and declared.required:
            raise values.HiddenValueError(f"{where} has no {key}")
        try:
            parsed[declared.field.name] = declared.default if raw is None else declared.parse(raw)
        except values.UnacceptableError as refused:
            raise values.HiddenValueError(f"{where}: {key} {refused}") from None
    for unknown in given:
        nearest = difflib.get_close_matches(unknown, _DECLARED, n=1)
        raise values.HiddenValueError(
            f"{where} has the unknown key {unknown if re.fullmatch(r'[A-Za-z]+', unknown) else '[hidden]'}; "
            + (f"did you mean {nearest[0]}?" if nearest else f"it can have {', '.join(_DECLARED)}")
        )
    return ExtraContainerArgs(**parsed)


def secret_arn(value_from: str) -> str | None:
    """The ARN of the secret that a reference of ECS names; None for a parameter."""
    found = _SECRET.fullmatch(value_from)
    return found[1] if found else None


def parameter_arn(value_from: str) -> str | None:
    """The ARN of the parameter that a reference of ECS names; None for a secret."""
    return value_from if _PARAMETER.fullmatch(value_from) else None
