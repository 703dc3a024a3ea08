"""Reads a task definition as Fargate would. A setting that the sandbox doesn't support is an error, never ignored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.atlantis.errors import TaskStartError

__all__ = ["CompanionContainer", "EfsMount", "HealthCheck", "TaskDefinition", "read"]

_CONTAINER_KEYS = frozenset(
    {
        "command", "cpu", "dependsOn", "dockerLabels", "entryPoint", "environment", "environmentFiles", "essential",
        "healthCheck", "image",
        "linuxParameters", "logConfiguration", "memory", "memoryReservation", "mountPoints", "name", "portMappings",
        "readonlyRootFilesystem", "secrets", "startTimeout", "stopTimeout", "systemControls", "ulimits", "user",
        "versionConsistency", "volumesFrom",
    }
)  # fmt: skip
# A companion container shares the task's network, but has no secrets, volumes or ports.
_COMPANION_KEYS = frozenset(
    {
        "command", "cpu", "entryPoint", "environment", "essential", "image", "logConfiguration", "memory",
        "memoryReservation", "name", "readonlyRootFilesystem", "restartPolicy", "stopTimeout", "user",
    }
)  # fmt: skip
_EMPTY_ONLY = ("dependsOn", "environmentFiles", "systemControls", "volumesFrom")
# Fargate's default and maximum stop timeout.
_STOP_SECONDS = 30
_LONGEST_STOP = 120
# ECS' default period of a restart policy.
_RESTART_SECONDS = 300
_ARCHITECTURE = "X86_64"


@dataclass(frozen=True)
class HealthCheck:
    """A container's health check; times in seconds. The defaults are those of ECS."""

    command: list[str]
    interval: float = 30
    timeout: float = 5
    retries: int = 3
    start_period: float = 0


@dataclass(frozen=True)
class EfsMount:
    """An EFS volume and its mount path in the container."""

    container_path: str
    file_system: str
    access_point: str | None


@dataclass(frozen=True)
class CompanionContainer:
    """A companion of the server's container.

    ``restart_seconds`` is the restart attempt period, or None if no restart policy is enabled.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    log_options: dict[str, str]
    stop_seconds: int
    restart_seconds: float | None


@dataclass(frozen=True)
class TaskDefinition:
    """The parts of a task definition that determine how the server's container and its companions run.

    ``architecture`` is the CPU architecture, ``X86_64`` or ``ARM64``; ``secrets`` maps a variable to its ``valueFrom``;
    ``log_options`` are the options of the ``awslogs`` driver. ``entry_point`` and ``command`` are empty if the task
    definition doesn't set them; ``user`` is ``uid:gid``, or empty for the image's user. Without a ``health_check``,
    only the load balancer's health check applies.
    """

    arn: str
    image: str
    architecture: str
    execution_role: str
    task_role: str
    container: str
    port: int
    environment: dict[str, str]
    secrets: dict[str, str]
    mounts: list[EfsMount]
    log_options: dict[str, str]
    health_check: HealthCheck | None
    stop_seconds: int
    entry_point: list[str]
    command: list[str]
    user: str
    companions: list[CompanionContainer]


def read(described: Mapping[str, Any]) -> TaskDefinition:
    """Parse a result of ``DescribeTaskDefinition``; raises ``TaskStartError`` with everything that isn't supported."""
    problems: list[str] = []
    containers = described["containerDefinitions"]
    servers = [item for item in containers if item.get("portMappings")]
    if len(servers) != 1:
        raise TaskStartError(
            [f"{len(servers)} of the task definition's containers map ports; the load balancer needs exactly one"]
        )
    container = servers[0]
    problems += _unknown(container, _CONTAINER_KEYS)
    problems += [
        f"{container['name']}.{key} is not supported by the sandbox" for key in _EMPTY_ONLY if container.get(key)
    ]
    companions = [item for item in containers if item is not container]
    problems += [problem for item in companions for problem in _companion_problems(item)]
    if container.get("readonlyRootFilesystem"):
        problems.append("readonlyRootFilesystem is true: the stock Atlantis image doesn't start with it")
    for role in ("executionRoleArn", "taskRoleArn"):
        if not described.get(role):
            problems.append(f"the task definition has no {role}")
    ports = [mapping["containerPort"] for mapping in container.get("portMappings", [])]
    if len(ports) != 1:
        problems.append(f"the container maps {len(ports)} ports; the load balancer needs exactly one")
    logging = container.get("logConfiguration", {})
    if logging.get("logDriver") != "awslogs":
        problems.append(f"logDriver is {logging.get('logDriver')!r}; the sandbox ships logs with awslogs only")
    if problems:
        raise TaskStartError(problems)
    return TaskDefinition(
        arn=described["taskDefinitionArn"],
        image=container["image"],
        architecture=described.get("runtimePlatform", {}).get("cpuArchitecture", _ARCHITECTURE),
        execution_role=described["executionRoleArn"],
        task_role=described["taskRoleArn"],
        container=container["name"],
        port=ports[0],
        environment={item["name"]: item["value"] for item in container.get("environment", [])},
        secrets={item["name"]: item["valueFrom"] for item in container.get("secrets", [])},
        mounts=_mounts(container, {volume["name"]: volume for volume in described.get("volumes", [])}),
        log_options=dict(logging.get("options", {})),
        health_check=_health_check(container["healthCheck"]) if container.get("healthCheck") else None,
        stop_seconds=_stop_seconds(container),
        entry_point=list(container.get("entryPoint") or []),
        command=list(container.get("command") or []),
        user=container.get("user", ""),
        companions=[_companion(item) for item in companions],
    )


def _unknown(container: Mapping[str, Any], known: frozenset[str]) -> list[str]:
    return [
        f"{container['name']}.{key} is set, which the sandbox doesn't support"
        for key in sorted(container)
        if key not in known and container[key]
    ]


def _companion_problems(container: Mapping[str, Any]) -> list[str]:
    problems = _unknown(container, _COMPANION_KEYS)
    if container.get("essential", True):
        problems.append(f"{container['name']} is essential; in the sandbox, a task ends only with its server")
    if not container.get("entryPoint"):
        problems.append(f"{container['name']} has no entryPoint: the sandbox doesn't unpack the image's own")
    if container.get("logConfiguration", {}).get("logDriver") != "awslogs":
        problems.append(f"{container['name']} has no log; the sandbox ships logs with awslogs only")
    return problems


def _companion(container: Mapping[str, Any]) -> CompanionContainer:
    policy = container.get("restartPolicy", {})
    return CompanionContainer(
        name=container["name"],
        command=[*container["entryPoint"], *container.get("command", [])],
        environment={item["name"]: item["value"] for item in container.get("environment", [])},
        log_options=dict(container["logConfiguration"].get("options", {})),
        stop_seconds=_stop_seconds(container),
        restart_seconds=policy.get("restartAttemptPeriod", _RESTART_SECONDS) if policy.get("enabled") else None,
    )


def _stop_seconds(container: Mapping[str, Any]) -> int:
    return min(container.get("stopTimeout", _STOP_SECONDS), _LONGEST_STOP)


def _mounts(container: Mapping[str, Any], volumes: Mapping[str, Any]) -> list[EfsMount]:
    mounts = []
    for point in container.get("mountPoints", []):
        volume = volumes.get(point["sourceVolume"], {}).get("efsVolumeConfiguration")
        if volume is None:
            raise TaskStartError(
                [f"mount point {point['containerPath']} has no EFS volume named {point['sourceVolume']}"]
            )
        authorization = volume.get("authorizationConfig", {})
        mounts.append(EfsMount(point["containerPath"], volume["fileSystemId"], authorization.get("accessPointId")))
    return mounts


def _health_check(check: Mapping[str, Any]) -> HealthCheck:
    return HealthCheck(
        command=list(check["command"]),
        interval=check.get("interval", 30),
        timeout=check.get("timeout", 5),
        retries=check.get("retries", 3),
        start_period=check.get("startPeriod", 0),
    )
