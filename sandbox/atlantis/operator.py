"""The operator's manual steps for a real stack: push the image, create the GitHub App and store its values."""

import dataclasses
import functools
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.atlantis import build, registry
from sandbox.testbed.containers import task_secrets
from sandbox.testbed.containers.deployed_service import DeployedService, Service
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.github import app
from sandbox.testbed.github.store import Store

_APP_KEYS = frozenset({"app_id", "installation_id", "private_key"})
_TOKEN_KEYS = frozenset({"token"})


def push_image(deployment: DeployedService, service: Service) -> bool:
    """Push the Atlantis that was built here to the repositories of the service's images; returns whether it was pushed.

    Its tag is its version. The operator must push an image with any other tag; the task's start reports a missing one.
    """
    containers = deployment.task_definition(service.definition)["containerDefinitions"]
    images = (registry.local_image(deployment, container["image"]) for container in containers)
    version = build.version()
    pushed = [
        registry.push(deployment, dataclasses.replace(image, tag=version, digest=None), version)
        for image in images
        if image
    ]
    return any(pushed)


def set_up_app(deployment: DeployedService, service: Service, store: Store) -> bool:
    """Store throw-away values in a GitHub App's empty secret and register them with the GitHub stand-in.

    Returns whether values were generated. A secret that has a value isn't changed; its App is registered if the
    stand-in has none yet.
    """
    described = deployment.task_definition(service.definition)
    reader = _clients(deployment, described["executionRoleArn"])("secretsmanager")
    for secret, keys in _keys_by_secret(described).items():
        if not keys or not keys <= _APP_KEYS:
            continue
        if _is_empty(deployment, reader, secret):
            values = app.make_values()
            deployment.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(values))
            app.register(store.registration, values)
            return True
        if app.load(store.registration) is None:
            _register_existing(deployment, described, store)
    return False


def set_up_token(deployment: DeployedService, service: Service, token: str) -> bool:
    """Store ``token`` in the empty secret with the token of a host's user; returns whether there was one."""
    described = deployment.task_definition(service.definition)
    reader = _clients(deployment, described["executionRoleArn"])("secretsmanager")
    empty = [
        secret
        for secret, keys in _keys_by_secret(described).items()
        if keys == _TOKEN_KEYS and _is_empty(deployment, reader, secret)
    ]
    for secret in empty:
        value = json.dumps({"token": token})
        deployment.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=value)
    return bool(empty)


def read_task_secrets(deployment: DeployedService, described: dict[str, Any], variables: list[str]) -> dict[str, str]:
    """Read a task definition's secrets by variable, with the execution role: only that role is allowed to read them.

    Raises ``TaskStartError`` if a secret can't be read.
    """
    wanted = {name: value for name, value in _secrets(described).items() if name in variables}
    role = described["executionRoleArn"]
    return task_secrets.resolve(_clients(deployment, role), wanted, role)


def _clients(deployment: DeployedService, execution_role: str) -> Callable[[str], Any]:
    """Clients with the permissions of the execution role, by service."""
    return functools.partial(deployment.client, credentials=deployment.assume(execution_role, "sandbox-operator"))


def _register_existing(deployment: DeployedService, described: dict[str, Any], store: Store) -> None:
    variables = {
        "app_id": "ATLANTIS_GH_APP_ID",
        "installation_id": "ATLANTIS_GH_APP_INSTALLATION_ID",
        "private_key": "ATLANTIS_GH_APP_KEY",
    }
    try:
        values = read_task_secrets(deployment, described, list(variables.values()))
        app.register(store.registration, {key: values[variable] for key, variable in variables.items()})
    except (TaskStartError, KeyError, TypeError, ValueError):
        # The values don't describe a GitHub App, so none is registered. The task's start reports the problem.
        return


def _keys_by_secret(described: dict[str, Any]) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    for value_from in _secrets(described).values():
        try:
            reference = task_secrets.parse(value_from)
        except TaskStartError:
            continue
        keys.setdefault(reference.secret, set()).add(reference.key)
    return keys


def _secrets(described: dict[str, Any]) -> dict[str, str]:
    return {
        item["name"]: item["valueFrom"]
        for container in described["containerDefinitions"]
        for item in container.get("secrets", [])
    }


def _is_empty(deployment: DeployedService, reader: Any, secret: str) -> bool:
    """Whether a secret has no value: it has no version or, as the local AWS creates it, a version without content."""
    try:
        described = deployment.client("secretsmanager").describe_secret(SecretId=secret)
        if not described.get("VersionIdsToStages"):
            return True
        value = reader.get_secret_value(SecretId=secret)
    except ClientError:
        # The task's start reports why the secret can't be read.
        return False
    return "SecretString" not in value and "SecretBinary" not in value
