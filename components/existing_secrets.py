"""Existing secrets that a stack file names: variables of the server's environment and secret flags of the server."""

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from .server_configuration import variable
from .settings.groups import ConfigurationSettings

__all__ = ["ExistingSecrets", "customer_key", "existing_secrets"]


@dataclasses.dataclass(frozen=True)
class ExistingSecrets:
    """What the task refers to, and what its execution role needs to read it."""

    value_from: Mapping[str, str]
    """References as ECS takes them, `<arn>:<key>::`, by the variable's name."""
    arns: Sequence[str]
    key_arns: Sequence[str]


def existing_secrets(settings: ConfigurationSettings, parent: pulumi.Resource) -> ExistingSecrets:
    """The secrets of `secretEnvironment` and `serverSecrets`, looked up at once: a missing one ends the run early."""
    references = {
        **dict(map(_split, settings.secret_environment)),
        **{variable(flag): reference for flag, reference in map(_split, settings.server_secrets)},
    }
    secrets = {
        secret: aws.secretsmanager.get_secret(name=secret, opts=pulumi.InvokeOptions(parent=parent))
        for secret in sorted({secret for secret, _ in references.values()})
    }
    keys = [customer_key(secret.kms_key_id, parent) for secret in secrets.values()]
    return ExistingSecrets(
        value_from={name: f"{secrets[secret].arn}:{key}::" for name, (secret, key) in references.items()},
        arns=[secret.arn for secret in secrets.values()],
        key_arns=sorted({key for key in keys if key}),
    )


def _split(reference: str) -> tuple[str, tuple[str, str]]:
    """`NAME=secret:key` in its parts; the name of a secret may hold `=`, a key has no colon."""
    name, _, rest = reference.partition("=")
    secret, _, key = rest.rpartition(":")
    return name, (secret, key)


def customer_key(shown: str, parent: pulumi.Resource) -> str | None:
    """The ARN of the key that DescribeSecret shows; None for the AWS-managed key, which every principal of the account may use.

    DescribeSecret repeats what the secret was made with: a key's ARN or id, or an alias. IAM policies match key ARNs only.
    """
    if not shown:
        return None
    if ":key/" in shown:
        return shown
    key = aws.kms.get_key(key_id=shown, opts=pulumi.InvokeOptions(parent=parent))
    return None if key.key_manager == "AWS" else key.arn
