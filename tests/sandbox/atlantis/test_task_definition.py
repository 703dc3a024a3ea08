"""How the sandbox reads a task definition: what it honours, with ECS' defaults, and what it says about the rest."""

from typing import Any

import pytest

from sandbox.atlantis.container import wiring_problems
from sandbox.testbed.containers.container_definition import (
    Condition,
    Dependency,
    MountPoint,
    RestartPolicy,
)
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.task_definition import read
from tests.tables import table

_LOG = {"logConfiguration": {"logDriver": "awslogs"}}
_SERVER = {
    "name": "atlantis",
    "image": "image",
    "portMappings": [{"containerPort": 4141}],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/home/atlantis/.atlantis"}],
    **_LOG,
}
_SIDECAR = {"name": "sidecar", "image": "image", "essential": False, "entryPoint": ["/bin/sh"], **_LOG}
_VOLUMES = [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}, {"name": "own"}]


def _described(sidecar: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "taskDefinitionArn": "arn",
        "executionRoleArn": "role",
        "taskRoleArn": "role",
        "cpu": "2048",
        "memory": "4096",
        "volumes": _VOLUMES,
        "containerDefinitions": [_SERVER, _SIDECAR | (sidecar or {})],
        **more,
    }


def test_a_container_has_what_its_definition_says() -> None:
    wanted = {
        "essential": True,
        "secrets": [{"name": "A", "valueFrom": "arn"}],
        "mountPoints": [{"sourceVolume": "own", "containerPath": "/run/own", "readOnly": True}],
        "dependsOn": [{"containerName": "atlantis", "condition": "HEALTHY"}],
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60, "ignoredExitCodes": [3]},
        "linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["KILL"]}},
        "readonlyRootFilesystem": True,
        "user": "0",
        "stopTimeout": 500,
        "memory": 256,
    }
    definition = read(_described(wanted, ephemeralStorage={"sizeInGiB": 50}))
    sidecar = definition.containers[1]
    assert definition.volumes["own"] is None
    assert (definition.memory_mib, definition.cpu, definition.disk_gib) == (4096, 2048, 50)
    assert (sidecar.essential, sidecar.secrets, sidecar.read_only_root) == (True, {"A": "arn"}, True)
    assert (sidecar.user, sidecar.memory_mib) == ("0", 256)
    assert sidecar.mounts == (MountPoint("/run/own", "own", read_only=True),)
    assert sidecar.dependencies == (Dependency("atlantis", Condition.HEALTHY),)
    assert sidecar.restart == RestartPolicy(60, frozenset({3}))
    assert sidecar.capabilities == {"KILL"}
    # Fargate's longest.
    assert sidecar.stop_seconds == 120


def test_what_a_definition_does_not_say_is_as_on_fargate() -> None:
    server = read(_described()).server
    assert (server.essential, server.read_only_root, server.restart, server.stop_seconds) == (True, False, None, 30)
    assert {"CHOWN", "KILL", "NET_RAW", "SETUID"} <= server.capabilities
    assert "SYS_ADMIN" not in server.capabilities


@pytest.mark.parametrize(
    ("sidecar", "said"),
    table(__file__, "refused"),
)
def test_what_the_sandbox_can_not_honour_is_an_error(sidecar: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskStartError, match=said):
        read(_described(sidecar))


@pytest.mark.parametrize("volume", [{"host": {"sourcePath": "/etc"}}, {"dockerVolumeConfiguration": {"scope": "task"}}])
def test_a_volume_that_fargate_does_not_have_is_an_error(volume: dict[str, Any]) -> None:
    with pytest.raises(TaskStartError, match="volume own: the sandbox supports EFS and Fargate's bind mounts"):
        read(_described(volumes=[_VOLUMES[0], {"name": "own", **volume}]))


@pytest.mark.parametrize(
    "sidecar",
    [
        {"essential": True},
        {"secrets": [{"name": "A", "valueFrom": "arn"}]},
        {"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
    ],
)
def test_a_task_that_needs_containers_does_not_start_without_them(sidecar: dict[str, Any]) -> None:
    definition = read(_described(sidecar))
    assert wiring_problems(definition, contained=True) == []
    (problem,) = wiring_problems(definition, contained=False)
    assert problem.startswith("sidecar needs a separate container, and the sandbox runs this task without containers")


def test_a_variable_that_is_set_twice_and_a_user_that_the_image_has_not_are_refused() -> None:
    twice = {
        "environment": [{"name": "X", "value": "1"}],
        "secrets": [{"name": "X", "valueFrom": "arn"}],
        "user": "somebody",
    }
    problems = wiring_problems(read(_described(twice)), contained=True)
    assert problems == [
        "sidecar: X is set both as environment and as secret",
        "sidecar: the container's user 'somebody' is neither uid:gid nor a user of the image",
    ]
