"""The secrets: they exist, and Atlantis can start with their values. No message contains any part of a value."""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from components.settings.extra_containers import secret_arn
from components.settings.schema import known
from preflight.aws import RefusedByResourceError
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError

APP_KEYS = ("app_id", "installation_id", "private_key")
WEBHOOK_KEYS = ("webhook_secret",)


def private_key_problem(pem: str) -> str | None:
    """The reason why the Atlantis server would not start with this private key of the GitHub App; None if it would."""
    if problem := _shape_problem(pem):
        return problem
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        return "is encrypted with a passphrase, and Atlantis can't decrypt it"
    except (ValueError, UnsupportedAlgorithm):
        return "is a PEM that can't be parsed; it may be truncated"
    return None if isinstance(key, RSAPrivateKey) else "isn't an RSA key, which GitHub Apps require"


def _shape_problem(pem: str) -> str | None:
    # The server's Go library is stricter than Python's: nothing may precede the PEM's first line.
    lines = pem.strip("\r\n").splitlines() or [""]
    if "\\n" in pem:
        return "contains the characters \\n instead of line breaks (it was escaped twice when it was written as JSON)"
    if not lines[0].startswith("-----BEGIN"):
        return "isn't a PEM: it doesn't start with -----BEGIN"
    if len(lines) == 1:
        return "has lost its line breaks"
    return None if "PRIVATE KEY-----" in lines[0] else "is a PEM, but not a private key"


def number_problem(value: object) -> str | None:
    """The reason why `value` isn't an ID of GitHub; None if it can be one."""
    if isinstance(value, bool) or not str(value).isascii() or not str(value).isdigit() or int(str(value)) == 0:
        return "is not a number"
    return None


def credentials_exist(deployment: Deployment) -> str:
    """The secret with the GitHub App's credentials, or with the user's token, exists and has a value."""
    name = deployment.credentials_secret
    _value(deployment, name)
    return name


def credentials_keys(deployment: Deployment) -> str:
    """The value is a JSON object with the keys that the task definition refers to."""
    return _keys(deployment, deployment.credentials_secret, tuple(deployment.settings.vcs.kind.secret_flags.values()))


def app_ids(deployment: Deployment) -> str:
    """The IDs of the App and of the installation are numbers."""
    name = _app_name(deployment)
    values = _json(deployment, name)
    wrong = [f"{key} {why}" for key in APP_KEYS[:2] if (why := number_problem(values[key]))]
    if wrong:
        raise FailedError(
            f"{name}: {', '.join(wrong)}",
            "app_id is on the App's settings page, installation_id at the end of its installation's URL; "
            + _put(deployment, name),
        )
    return "app_id and installation_id are numbers"


def app_private_key(deployment: Deployment) -> str:
    """The App's private key is a valid PEM."""
    name = _app_name(deployment)
    problem = private_key_problem(str(_json(deployment, name)["private_key"]))
    if problem:
        raise FailedError(
            f"{name}: private_key {problem}",
            "write the JSON with `jq -n --rawfile private_key app.pem --arg app_id ... --arg installation_id ... "
            f"'$ARGS.named'`, which escapes line breaks once; {_put(deployment, name)}",
        )
    return "private_key is an RSA key in PEM form"


def webhook_exists(deployment: Deployment) -> str:
    """The webhook's secret exists and has a value, if the stack file names one."""
    named = known(deployment.settings.server.webhook_secret_name)
    if not named:
        raise NotCheckedError("the deployment generates the webhook secret")
    _value(deployment, named)
    return named


def webhook_keys(deployment: Deployment) -> str:
    """The value is a JSON object with the key that the task definition refers to."""
    return _keys(deployment, known(deployment.settings.server.webhook_secret_name) or "", WEBHOOK_KEYS)


def container_secrets(deployment: Deployment) -> str:
    """The secrets of extraContainers exist, with the keys that the task definition refers to."""
    given = {
        known(each) for container in deployment.settings.task.extra_containers for each in container.secrets.values()
    }
    found = {value_from: arn for value_from in sorted(given) if (arn := secret_arn(value_from))}
    if not found:
        return "no container of extraContainers has a secret"
    for value_from, arn in found.items():
        key = value_from.removeprefix(arn).strip(":").partition(":")[0]
        if key:
            _keys(deployment, arn, (key,))
        else:
            _value(deployment, arn)
    return f"{len(found)} values"


CHECKS = (
    Check("secrets", "credentials exist", credentials_exist),
    Check("secrets", "credentials have their keys", credentials_keys, needs=(credentials_exist,)),
    Check("secrets", "GitHub App ids", app_ids, needs=(credentials_keys,)),
    Check("secrets", "GitHub App private key", app_private_key, needs=(credentials_keys,)),
    Check("secrets", "webhook exists", webhook_exists),
    Check("secrets", "webhook has its key", webhook_keys, needs=(webhook_exists,)),
    Check("secrets", "containers' secrets", container_secrets),
)


def _app_name(deployment: Deployment) -> str:
    if not deployment.settings.vcs.is_app:
        raise NotCheckedError(f"vcsKind {deployment.settings.vcs.vcs_kind} uses a token, not a GitHub App")
    return deployment.credentials_secret


def _value(deployment: Deployment, name: str) -> str:
    """The secret's current value."""
    described = deployment.aws.find("secretsmanager", "describe_secret", SecretId=name)
    if described is None:
        raise _absent(deployment, name)
    if "DeletedDate" in described:
        raise FailedError(
            f"{name} is scheduled for deletion; until then, its name is reserved",
            f"aws secretsmanager restore-secret --secret-id {name}",
        )
    try:
        answer = deployment.aws.find("secretsmanager", "get_secret_value", SecretId=name)
    except RefusedByResourceError:
        # This is intended: the stack's secrets are for the execution role.
        raise NotCheckedError(
            f"{name} exists, and its policy doesn't allow your credentials to read the value"
        ) from None
    if not answer or not answer.keys() & {"SecretString", "SecretBinary"}:
        if not deployment.settings.task.desired_count:
            raise NotCheckedError(f"{name} has no value yet; desiredCount 0 runs no task", "store its value next")
        raise FailedError(f"{name} exists, but has no value", _put(deployment, name))
    if "SecretString" not in answer:
        raise FailedError(f"{name} has a binary value, not JSON", _put(deployment, name))
    return answer["SecretString"]


def _absent(deployment: Deployment, name: str) -> FailedError | NotCheckedError:
    ours = name == deployment.credentials_secret and not deployment.settings.credentials_secret_name
    if ours and not deployment.settings.task.desired_count:
        return NotCheckedError(f"the deployment creates {name}", "store its value before you set desiredCount to 1")
    if ours:
        return FailedError(
            f"{name} doesn't exist, so the task can't start",
            "deploy once with desiredCount 0, which creates the secret; store its value; deploy with desiredCount 1",
        )
    return FailedError(
        f"{name} does not exist in {deployment.settings.region}",
        f"aws secretsmanager create-secret --name {name} --secret-string file://value.json, or correct the name in "
        f"Pulumi.{deployment.stack}.yaml",
    )


def _keys(deployment: Deployment, name: str, keys: tuple[str, ...]) -> str:
    values = _json(deployment, name)
    missing = [key for key in keys if values.get(key) in ("", None)]
    if missing:
        others = sorted(set(values) - set(keys))
        also = f" (it has {', '.join(others)})" if others else ""
        raise FailedError(f"{name} lacks {', '.join(missing)}{also}", f"put all of them: {_put(deployment, name)}")
    return f"{', '.join(keys)} in {name}"


def _json(deployment: Deployment, name: str) -> Mapping[str, Any]:
    try:
        values = json.loads(_value(deployment, name))
    # The decoder's message contains only a position, no part of the value, but it isn't needed here.
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise FailedError(f"{name} is not a JSON object", _put(deployment, name))
    return values


def _put(deployment: Deployment, name: str) -> str:
    return (
        f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://value.json --region "
        f"{deployment.settings.region}"
    )
