"""The operator's containers in the server's task."""

from collections.abc import Mapping, Sequence

import pulumi

from ..settings.extra_containers import ExtraContainerArgs
from ..settings.outbound import OutboundArgs
from . import outbound
from .container import NO_CAPABILITIES, SIDECAR, awslogs, secrets, variables

STOP_TIMEOUT = 30
"""Seconds, ECS' default. They stop together with the server's container, which has a separate one."""


def containers(
    extra: Sequence[ExtraContainerArgs], settings: OutboundArgs, *, log_group: pulumi.Input[str], region: str
) -> list[Mapping[str, object]]:
    """Their definitions: hardened as the stack's, without a port, and without a volume except the certificates."""
    return [_container(each, settings, awslogs(log_group, region, each.name)) for each in extra]


def _container(each: ExtraContainerArgs, settings: OutboundArgs, log: Mapping[str, object]) -> Mapping[str, object]:
    definition: dict[str, object] = {
        "name": each.name,
        "image": each.image,
        "cpu": each.cpu,
        "memory": each.memory,
        **SIDECAR,
        "user": each.user,
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": list(each.entry_point),
        "command": list(each.command),
        "environment": variables(each.environment),
        "secrets": secrets(each.secrets),
        "mountPoints": outbound.mounts(settings),
        "dependsOn": outbound.dependencies(settings),
        "stopTimeout": STOP_TIMEOUT,
        "logConfiguration": log,
    }
    return {key: value for key, value in definition.items() if value != []}
