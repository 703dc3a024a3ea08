"""What an operator does by hand for a real stack: push the image, create the GitHub App and store its values."""

import dataclasses
import json
from typing import Any

from botocore.exceptions import ClientError

from sandbox.atlantis import build, registry, task_secrets
from sandbox.atlantis.credentials import assume
from sandbox.atlantis.deployed_service import DeployedService, Service
from sandbox.atlantis.errors import TaskStartError
from sandbox.github import app
from sandbox.github.store import Store

__all__ = ["push_image", "read_task_secrets", "set_up_app"]

_APP_KEYS = frozenset({"app_id", "installation_id", "private_key"})


def push_image(deployment: DeployedService, service: Service) -> bool:
    """Push the Atlantis that was built here into the repositories of the service's images; True where it was pushed.

    It has its version as its tag. Any other tag is the operator's to push, and the task says so.
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
    """Fill an empty secret of a GitHub App with throw-away values that the stand-in of GitHub knows.

    True where values were made. A secret that has a value is left alone; GitHub's stand-in learns of its App once.
    """
    described = deployment.task_definition(service.definition)
    reader = _reader(deployment, described["executionRoleArn"])
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


def read_task_secrets(deployment: DeployedService, described: dict[str, Any], variables: list[str]) -> dict[str, str]:
    """Secrets of a task definition by variable, read as the execution role: nobody else may (``TaskStartError``)."""
    wanted = {name: value for name, value in _secrets(described).items() if name in variables}
    role = described["executionRoleArn"]
    return task_secrets.resolve(_reader(deployment, role), wanted, role)


def _reader(deployment: DeployedService, execution_role: str) -> Any:
    return deployment.client("secretsmanager", assume(deployment, execution_role, "sandbox-operator"))


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
        # GitHub knows no App of such values; what is wrong with them is said where the task is started.
        return


def _keys_by_secret(described: dict[str, Any]) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    for variable, value_from in _secrets(described).items():
        try:
            reference = task_secrets.parse(variable, value_from)
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
    """Whether a secret has no value: no version, or, as the local AWS makes it, a version of nothing."""
    try:
        described = deployment.client("secretsmanager").describe_secret(SecretId=secret)
        if not described.get("VersionIdsToStages"):
            return True
        value = reader.get_secret_value(SecretId=secret)
    except ClientError:
        # Why the secret can't be read is said where the task is started.
        return False
    return "SecretString" not in value and "SecretBinary" not in value
