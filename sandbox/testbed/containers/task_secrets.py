"""Reads the container's secrets with the execution role's permissions, as Fargate does before it starts a task."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.testbed.containers.deployed_service import refusal
from sandbox.testbed.containers.errors import TaskStartError

_PARAMETER = re.compile(r"arn:[\w-]+:ssm:[\w-]+:\d{12}:parameter(?P<name>/.+)")
_SECRET = re.compile(
    r"(?P<secret>arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[^:]+)"
    r"(?::(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)


@dataclass(frozen=True)
class Reference:
    """A parsed ``valueFrom``: a secret's ARN, and its key, stage and version, which are empty for the default."""

    secret: str
    key: str
    stage: str
    version: str


def parse(value_from: str) -> Reference:
    """Parse ``<arn>[:json-key:version-stage:version-id]``; raises ``TaskStartError``."""
    found = _SECRET.fullmatch(value_from)
    if found is None:
        raise TaskStartError(
            f"valueFrom {value_from!r} is no full ARN of a secret followed by nothing or by "
            "`:json-key:version-stage:version-id` (all three colons)"
        )
    return Reference(found["secret"], found["key"] or "", found["stage"] or "", found["version"] or "")


def resolve(clients: Callable[[str], Any], secrets: Mapping[str, str], role: str) -> dict[str, str]:
    """Read all secrets and parameters; one error contains all problems.

    ``clients`` returns the client of a service, with the permissions of ``role``.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for variable, value_from in secrets.items():
        try:
            if parameter := _PARAMETER.fullmatch(value_from):
                values[variable] = _parameter(clients("ssm"), value_from, parameter["name"], role)
            else:
                values[variable] = _value(clients("secretsmanager"), parse(value_from), role)
        except TaskStartError as error:
            problems += [f"{variable}: {problem}" for problem in error.problems]
    if problems:
        raise TaskStartError(*problems)
    return values


def _parameter(client: Any, arn: str, name: str, role: str) -> str:
    try:
        found = client.get_parameters(Names=[arn], WithDecryption=True)["Parameters"]
    except ClientError as problem:
        raise TaskStartError(
            f"parameter {name} can't be read by {role.rpartition('/')[2]} ({refusal(problem)})"
        ) from problem
    if not found:
        raise TaskStartError(f"parameter {name} doesn't exist: store it with `aws ssm put-parameter`")
    return found[0]["Value"]


def _value(client: Any, reference: Reference, role: str) -> str:
    name = reference.secret.rpartition(":")[2]
    chosen = {"VersionStage": reference.stage, "VersionId": reference.version}
    try:
        answer = client.get_secret_value(
            SecretId=reference.secret, **{option: value for option, value in chosen.items() if value}
        )
    except ClientError as problem:
        raise TaskStartError(_explain(problem, name, role)) from problem
    text = answer.get("SecretString")
    if text is None and "SecretBinary" not in answer:
        raise TaskStartError(_no_value(name))
    if text is None:
        raise TaskStartError(f"secret {name} contains binary data; store a JSON object of strings in it")
    return _part(text, reference.key, name) if reference.key else text


def _part(text: str, key: str, name: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise TaskStartError(f"secret {name} is not a JSON object, so its key {key!r} can't be read")
    if key not in document:
        present = ", ".join(sorted(document)) or "none at all"
        raise TaskStartError(f"secret {name} has no key {key!r} (it has {present}); add it with put-secret-value")
    if not isinstance(document[key], str) or not document[key].strip():
        raise TaskStartError(f"key {key!r} of secret {name} must be a string that is not empty")
    return document[key]


def _explain(problem: ClientError, name: str, role: str) -> str:
    code = problem.response["Error"]["Code"]
    message = problem.response["Error"]["Message"]
    role_name = role.rpartition("/")[2]
    if code in {"AccessDenied", "AccessDeniedException"}:
        return (
            f"the execution role {role_name} isn't allowed to read secret {name} ({message}): it requires "
            "secretsmanager:GetSecretValue on the secret and kms:Decrypt on its key, and the secret's policy must allow it"
        )
    if code == "ResourceNotFoundException":
        return f"{_no_value(name)} ({message})"
    if code == "InvalidRequestException":
        return f"secret {name} can't be read ({message}): it may be scheduled for deletion; restore it first"
    return f"secret {name} can't be read ({code}: {message})"


def _no_value(name: str) -> str:
    return (
        f"secret {name} doesn't exist or has no value yet: store its JSON value with "
        f"`aws secretsmanager put-secret-value --secret-id {name.rpartition('-')[0]} --secret-string file://...`"
    )
