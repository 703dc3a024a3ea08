"""Which containers run by their images, and what those with a base image have of the server's."""

import dataclasses

import pytest

from sandbox.testbed.containers.container_definition import (
    Condition,
    ContainerDefinition,
    Dependency,
    TaskDefinition,
)
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.images import runnable
from tests.sandbox.atlantis.containers import container

_DIGEST = "@sha256:" + "0a" * 32


def _task(*others: ContainerDefinition) -> TaskDefinition:
    return TaskDefinition("arn", "X86_64", "execution", "task", {}, (container("server"), *others))


def _of(image: str, **changes: object) -> ContainerDefinition:
    return dataclasses.replace(container("sidecar"), image=image, **changes)


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        ("image", True),
        (f"busybox{_DIGEST}", True),
        (f"public.ecr.aws/docker/library/alpine:3.22{_DIGEST}", True),
        (f"registry.example.com:5000/busybox{_DIGEST}", True),
        (f"example/busybox-metrics{_DIGEST}", False),
        (f"busybox/metrics{_DIGEST}", False),
    ],
)
def test_a_container_runs_with_the_servers_image_or_a_base_image(image: str, runs: bool) -> None:
    definition, not_run = runnable(_task(_of(image)))
    assert [each.name for each in definition.containers] == ["server", "sidecar"][: 2 if runs else 1]
    assert list(not_run) == ([] if runs else ["sidecar"])


def test_a_base_image_needs_a_command() -> None:
    _, not_run = runnable(_task(_of("busybox", entry_point=[], command=[])))
    assert not_run == {"sidecar": "it has no command, and the sandbox doesn't know its image's"}


def test_a_container_that_waits_for_one_that_can_not_run_can_not_start() -> None:
    waits = dataclasses.replace(container("waits"), dependencies=(Dependency("sidecar", Condition.START),))
    with pytest.raises(TaskStartError, match=r"waits waits for sidecar, which isn't run: the sandbox doesn't have"):
        runnable(_task(_of("example/metrics"), waits))
