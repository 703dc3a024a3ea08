"""Reads a task definition as Fargate would. A setting that the sandbox doesn't support is an error, never ignored."""

from collections.abc import Mapping
from typing import Any

from sandbox.testbed.containers.container_definition import (
    Condition,
    ContainerDefinition,
    Dependency,
    EfsVolume,
    HealthCheck,
    MountPoint,
    RestartPolicy,
    TaskDefinition,
    capabilities,
)
from sandbox.testbed.containers.errors import TaskStartError

_CONTAINER_KEYS = frozenset(
    {
        "command", "cpu", "dependsOn", "dockerLabels", "entryPoint", "environment", "environmentFiles", "essential",
        "healthCheck", "image", "linuxParameters", "logConfiguration", "memory", "memoryReservation", "mountPoints",
        "name", "portMappings", "readonlyRootFilesystem", "restartPolicy", "secrets", "startTimeout", "stopTimeout",
        "systemControls", "ulimits", "user", "versionConsistency", "volumesFrom", "workingDirectory",
    }
)  # fmt: skip
_EMPTY_ONLY = ("environmentFiles", "systemControls", "volumesFrom")
# Fargate's default and maximum stop timeout, and its default start timeout.
_STOP_SECONDS, _LONGEST_STOP = 30, 120
_START_SECONDS = 180
# ECS' default period of a restart policy.
_RESTART_SECONDS = 300
_ARCHITECTURE = "X86_64"
# Fargate's disk of a task that asks for no more.
_DISK_GIB = 20


def read(described: Mapping[str, Any]) -> TaskDefinition:
    """Parse a result of ``DescribeTaskDefinition``; raises ``TaskStartError`` with everything that isn't supported."""
    containers = described["containerDefinitions"]
    volumes = {volume["name"]: volume for volume in described.get("volumes", [])}
    servers = [item for item in containers if item.get("portMappings")]
    if len(servers) != 1:
        raise TaskStartError(
            f"{len(servers)} of the task definition's containers map ports; the task needs exactly one"
        )
    problems = [problem for item in containers for problem in _problems(item)]
    if not servers[0].get("essential", True):
        problems.append(f"{servers[0]['name']} isn't essential: the task would continue without its server")
    problems += [
        f"the task definition has no {role}" for role in ("executionRoleArn", "taskRoleArn") if not described.get(role)
    ]
    if problems:
        raise TaskStartError(*problems)
    return TaskDefinition(
        arn=described["taskDefinitionArn"],
        architecture=described.get("runtimePlatform", {}).get("cpuArchitecture", _ARCHITECTURE),
        execution_role=described["executionRoleArn"],
        task_role=described["taskRoleArn"],
        volumes={name: _volume(volume) for name, volume in volumes.items()},
        containers=tuple(_container(item) for item in containers),
        memory_mib=int(described["memory"]),
        cpu=int(described["cpu"]),
        disk_gib=described.get("ephemeralStorage", {}).get("sizeInGiB", _DISK_GIB),
    )


def _problems(container: Mapping[str, Any]) -> list[str]:
    name = container["name"]
    problems = [
        f"{name}.{key} is set, which the sandbox doesn't support"
        for key in sorted(container)
        if key not in _CONTAINER_KEYS and container[key]
    ]
    problems += [f"{name}.{key} is not supported by the sandbox" for key in _EMPTY_ONLY if container.get(key)]
    problems += [
        f"{name}.linuxParameters.{key} is not supported by the sandbox"
        for key, value in container.get("linuxParameters", {}).items()
        if key != "capabilities" and value
    ]
    ports = container.get("portMappings", [])
    if len(ports) > 1:
        problems.append(f"{name} maps {len(ports)} ports; the task needs exactly one")
    driver = container.get("logConfiguration", {}).get("logDriver")
    if driver is None:
        problems.append(f"{name} has no log; the sandbox ships logs with awslogs only")
    elif driver != "awslogs":
        problems.append(f"{name}: logDriver is {driver!r}; the sandbox ships logs with awslogs only")
    return problems


def _container(container: Mapping[str, Any]) -> ContainerDefinition:
    ports = [mapping["containerPort"] for mapping in container.get("portMappings", [])]
    wanted = container.get("linuxParameters", {}).get("capabilities", {})
    policy = container.get("restartPolicy", {})
    check = container.get("healthCheck")
    return ContainerDefinition(
        name=container["name"],
        image=container["image"],
        port=ports[0] if ports else None,
        environment={item["name"]: item["value"] for item in container.get("environment", [])},
        secrets={item["name"]: item["valueFrom"] for item in container.get("secrets", [])},
        mounts=tuple(
            MountPoint(point["containerPath"], point["sourceVolume"], point.get("readOnly", False))
            for point in container.get("mountPoints", [])
        ),
        log_options=dict(container["logConfiguration"].get("options", {})),
        health_check=_health_check(check) if check else None,
        start_seconds=container.get("startTimeout", _START_SECONDS),
        stop_seconds=min(container.get("stopTimeout", _STOP_SECONDS), _LONGEST_STOP),
        entry_point=list(container.get("entryPoint") or []),
        command=list(container.get("command") or []),
        user=container.get("user", ""),
        working_directory=container.get("workingDirectory", ""),
        read_only_root=container.get("readonlyRootFilesystem", False),
        capabilities=capabilities(wanted.get("add", []), wanted.get("drop", [])),
        essential=container.get("essential", True),
        dependencies=tuple(
            Dependency(item["containerName"], Condition(item["condition"])) for item in container.get("dependsOn", [])
        ),
        restart=RestartPolicy(
            policy.get("restartAttemptPeriod", _RESTART_SECONDS), frozenset(policy.get("ignoredExitCodes", []))
        )
        if policy.get("enabled")
        else None,
        memory_mib=container.get("memory"),
    )


def _volume(volume: Mapping[str, Any]) -> EfsVolume | None:
    efs = volume.get("efsVolumeConfiguration")
    if efs:
        return EfsVolume(efs["fileSystemId"], efs.get("authorizationConfig", {}).get("accessPointId"))
    unsupported = [
        key
        for key in (
            "dockerVolumeConfiguration",
            "fsxWindowsFileServerVolumeConfiguration",
            "s3filesVolumeConfiguration",
        )
        if volume.get(key)
    ]
    if unsupported or volume.get("configuredAtLaunch") or (volume.get("host") or {}).get("sourcePath"):
        raise TaskStartError(
            f"volume {volume['name']}: the sandbox supports EFS and Fargate's bind mounts (a volume without a source)"
        )
    return None


def _health_check(check: Mapping[str, Any]) -> HealthCheck:
    given = {"start_period" if name == "startPeriod" else name: value for name, value in check.items()}
    return HealthCheck(**given)
