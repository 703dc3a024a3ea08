"""What the container definitions of the stack have in common."""

import dataclasses
from collections.abc import Mapping

import pulumi

from ..parts import Parts

NO_CAPABILITIES = {"capabilities": {"drop": ["ALL"]}}
"""`linuxParameters` of a container definition. A user other than root has none of Docker's default capabilities in effect, but a
setuid program could gain them."""
HARDENED: Mapping[str, object] = {"privileged": False, "readonlyRootFilesystem": True}
SIDECAR: Mapping[str, object] = {
    # If it exits, the server continues and ECS restarts this container.
    "essential": False,
    "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    **HARDENED,
}
"""A container next to the server's that runs for as long as the task does."""


@dataclasses.dataclass(frozen=True)
class TaskLogs:
    """The names of the log groups that the containers write to."""

    group: pulumi.Input[str]
    agent_group: pulumi.Input[str] | None
    """The group of the server's container `agent`, from whose lines metrics are made."""


def image_of(parts: Parts) -> pulumi.Input[str]:
    """The image of all containers that the stack defines."""
    task = parts.settings.task
    return task.image or pulumi.Output.concat(parts.storage.repository_url, ":", task.image_tag)


def awslogs(group: pulumi.Input[str], region: str, prefix: str) -> dict[str, object]:
    """`logConfiguration` of a container definition: a stream in `group` that begins with `prefix`."""
    options = {"awslogs-group": group, "awslogs-region": region, "awslogs-stream-prefix": prefix}
    return {"logDriver": "awslogs", "options": options}


def variables(values: Mapping[str, pulumi.Input[str]]) -> list[dict[str, object]]:
    """`environment` of a container definition."""
    return [{"name": name, "value": value} for name, value in sorted(values.items())]


def secrets(values: Mapping[str, pulumi.Input[str]]) -> list[dict[str, object]]:
    """`secrets` of a container definition: ECS resolves the references when the task starts."""
    return [{"name": name, "valueFrom": value} for name, value in sorted(values.items())]


def mount(volume: str, path: str, *, read_only: bool = False) -> dict[str, object]:
    """An item of `mountPoints`."""
    return {"sourceVolume": volume, "containerPath": path, "readOnly": read_only}
