"""Containers of the operator's own in the task."""

from collections.abc import Mapping, Sequence

import pulumi

from ..settings.extra_containers import ExtraContainerArgs
from ..settings.outbound import OutboundArgs
from . import outbound
from .container_log import awslogs
from .container_privileges import BESIDE_THE_SERVER, NO_CAPABILITIES

STOP_TIMEOUT = 30
"""Seconds, ECS' default. They stop together with the server's container, which has its own."""


def containers(
    extra: Sequence[ExtraContainerArgs], settings: OutboundArgs, *, log_group: pulumi.Input[str], region: str
) -> list[Mapping[str, object]]:
    """Their definitions: hardened as the stack's own, without a port, and without a volume except the certificates."""
    return [_container(each, settings, log_group, region) for each in extra]


def _container(
    args: ExtraContainerArgs, settings: OutboundArgs, log_group: pulumi.Input[str], region: str
) -> Mapping[str, object]:
    definition: dict[str, object] = {
        "name": args.name,
        "image": args.image,
        "cpu": args.cpu,
        "memory": args.memory,
        **BESIDE_THE_SERVER,
        "user": args.user,
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": list(args.entry_point),
        "command": list(args.command),
        "environment": [{"name": name, "value": value} for name, value in sorted(args.environment.items())],
        "secrets": [{"name": name, "valueFrom": value} for name, value in sorted(args.secrets.items())],
        "mountPoints": outbound.mounts(settings),
        "dependsOn": outbound.dependencies(settings),
        "stopTimeout": STOP_TIMEOUT,
        "logConfiguration": awslogs(log_group, region, args.name),
    }
    return {key: value for key, value in definition.items() if value != []}
