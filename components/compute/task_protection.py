"""Task protection: a sidecar container that keeps ECS from stopping the task while a plan or an apply runs.

Atlantis can't report to ECS that it is busy. The cost: a plan with the task role can set the protection too (docs/security.md).
"""

from collections.abc import Mapping
from pathlib import Path

from ..parts import Parts
from .container import NO_CAPABILITIES, SIDECAR, TaskLogs, awslogs, image_of
from .server_container import server_user

CONTAINER = "task-protection"
LOOK_EVERY = 2
"""Seconds between two requests to /status. An operation isn't protected until the next one."""
EXPIRES = 30
"""Minutes after which the protection expires unless it is renewed."""
RENEW_EVERY = 300
"""Seconds between two renewals."""
CPU = 16
"""CPU units next to containers that have some, which would leave it nothing while they are busy."""
STOP_TIMEOUT = 10
"""Seconds. The container has no work to finish."""

_SCRIPT = Path(__file__).with_suffix(".sh")


def container(parts: Parts, logs: TaskLogs, *, cpu: int) -> Mapping[str, object]:
    """The container definition. It has no secrets, volumes or ports, and logs to the task's log group.

    `cpu`: units while the task is busy, or 0.
    """
    return {
        "name": CONTAINER,
        "image": image_of(parts),
        **({"cpu": cpu} if cpu else {}),
        **SIDECAR,
        "user": server_user(parts),
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [script(parts.settings.task.container_port)],
        "stopTimeout": STOP_TIMEOUT,
        "logConfiguration": awslogs(logs.group, parts.context.names.region, CONTAINER),
    }


def script(port: int, *, look_every: float = LOOK_EVERY, renew_every: int = RENEW_EVERY) -> str:
    """The shell program that the container runs, for the POSIX shell, curl, sed and tr of the image; times in seconds."""
    text = _SCRIPT.read_text(encoding="utf-8").strip()
    values = {"PORT": port, "EXPIRES_MINUTES": EXPIRES, "RENEW_SECONDS": renew_every, "LOOK_SECONDS": look_every}
    for name, value in values.items():
        text = text.replace(name, str(value))
    return text
