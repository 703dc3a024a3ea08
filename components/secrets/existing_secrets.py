"""Existing secrets that a stack file references: variables and secret flags of the server, and secrets of the operator's containers."""

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..configuration.server_configuration import variable
from ..names import PhysicalNames
from ..outputs import with_part
from ..settings.extra_containers import ExtraContainerArgs, secret_arn
from ..settings.groups import ConfigurationArgs

_PARAMETER_STORE = "ssm"


@dataclasses.dataclass(frozen=True)
class ExistingSecrets:
    """The secrets that the task references, and the ARNs that its execution role needs to read them."""

    value_from: Mapping[str, str]
    """ECS secret references (`<arn>:<key>::`, or the ARN of a parameter) by variable name."""
    arns: Sequence[str]
    parameter_arns: Sequence[str]
    key_arns: Sequence[str]


def existing_secrets(settings: ConfigurationArgs, names: PhysicalNames, parent: pulumi.Resource) -> ExistingSecrets:
    """The secrets of `secretEnvironment` and `serverSecrets`, looked up immediately: a missing one fails the run.

    Parameters aren't looked up, because the provider has no function that doesn't read the value too. Preflight finds a missing one.
    """
    references = {
        **dict(map(_split, settings.secret_environment)),
        **{variable(flag): reference for flag, reference in map(_split, settings.server_secrets)},
    }
    parameters = {
        name: names.arn("ssm", f"parameter{key}")
        for name, (secret, key) in references.items()
        if _is_parameter(secret, key)
    }
    references = {name: reference for name, reference in references.items() if name not in parameters}
    secrets = {
        secret: aws.secretsmanager.get_secret(name=secret, opts=pulumi.InvokeOptions(parent=parent))
        for secret in sorted({secret for secret, _ in references.values()})
    }
    keys = [customer_key(secret.kms_key_id, parent) for secret in secrets.values()]
    return ExistingSecrets(
        value_from={name: f"{secrets[secret].arn}:{key}::" for name, (secret, key) in references.items()} | parameters,
        arns=[secret.arn for secret in secrets.values()],
        parameter_arns=sorted(set(parameters.values())),
        key_arns=sorted({key for key in keys if key}),
    )


def _split(reference: str) -> tuple[str, tuple[str, str]]:
    """`NAME=secret:key`, split. The name of a secret can contain `=`; a key can't contain a colon."""
    name, _, rest = reference.partition("=")
    secret, _, key = rest.rpartition(":")
    return name, (secret, key)


def _is_parameter(secret: str, key: str) -> bool:
    """Whether a reference is to a parameter: the key of a secret has no slash."""
    return (secret, key[:1]) == (_PARAMETER_STORE, "/")


def customer_key(shown: str, parent: pulumi.Resource) -> str | None:
    """The ARN of the key that DescribeSecret returns; None for the AWS managed key, which all principals of the account can use.

    DescribeSecret returns the key as it was set: as an ARN, an ID or an alias. IAM policies match key ARNs only.
    """
    if not shown:
        return None
    if ":key/" in shown:
        return shown
    key = aws.kms.get_key(key_id=shown, opts=pulumi.InvokeOptions(parent=parent))
    return None if key.key_manager == "AWS" else key.arn


def container_secrets(containers: Sequence[ExtraContainerArgs]) -> list[pulumi.Input[str]]:
    """The ARNs of the secrets and parameters of the operator's containers, each once where it is known, without the keys of secrets."""
    references = [value for each in containers for value in each.secrets.values()]
    return list(dict.fromkeys(with_part(_without_key, value) for value in references))


def _without_key(value_from: str) -> str:
    return secret_arn(value_from) or value_from
