"""The secrets of the operator's own containers."""

from collections.abc import Sequence

import pulumi

from ..outputs import with_part
from ..settings.extra_containers import ExtraContainerArgs, secret_arn

__all__ = ["container_secrets"]


def container_secrets(containers: Sequence[ExtraContainerArgs]) -> list[pulumi.Input[str]]:
    """The ARNs of their secrets and parameters, each once where it is known, without the keys of secrets."""
    references = [value for each in containers for value in each.secrets.values()]
    return list(dict.fromkeys(with_part(_without_key, value) for value in references))


def _without_key(value_from: str) -> str:
    return secret_arn(value_from) or value_from
