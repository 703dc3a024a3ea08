"""Which containers of a task the sandbox can run, by their images.

It has no container runtime that unpacks images. A container with the server's image gets the image's files from `image_tools`. One
with a base image, whose programs are those of every Linux, runs its command with this machine's programs. Others aren't run, and the
task's status says so.
"""

import dataclasses
from collections.abc import Mapping

from sandbox.testbed.containers.container_definition import ContainerDefinition, TaskDefinition
from sandbox.testbed.containers.errors import TaskStartError

BASE_IMAGES = ("alpine", "busybox", "debian", "ubuntu")
"""Last components of the names of repositories."""


def runnable(definition: TaskDefinition) -> tuple[TaskDefinition, Mapping[str, str]]:
    """``definition`` with the containers that can run, and why the others can't, by their names.

    Raises:
        TaskStartError: a container waits for one that can't run.
    """
    server = definition.server
    reasons = {each.name: reason for each in definition.containers if (reason := _why_not(each, server))}
    left = tuple(each for each in definition.containers if each.name not in reasons)
    waiting = [(each.name, item.container) for each in left for item in each.dependencies if item.container in reasons]
    if waiting:
        raise TaskStartError(
            *[f"{name} waits for {other}, which isn't run: {reasons[other]}" for name, other in waiting]
        )
    return dataclasses.replace(definition, containers=left), reasons


def _why_not(container: ContainerDefinition, server: ContainerDefinition) -> str:
    if container.image == server.image:
        return ""
    if container.image.partition("@")[0].rpartition("/")[2].partition(":")[0] not in BASE_IMAGES:
        return f"the sandbox doesn't have the programs of {container.image}; it has those of {', '.join(BASE_IMAGES)}"
    return (
        ""
        if container.entry_point or container.command
        else "it has no command, and the sandbox doesn't know its image's"
    )
