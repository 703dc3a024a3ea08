"""Tasks of a few containers, without a service: what tests of containers share."""

import contextlib
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.atlantis import image_tools
from sandbox.atlantis.container import TaskNetwork, TaskParts, prepare
from sandbox.atlantis.task import Task
from sandbox.testbed import processes
from sandbox.testbed.containers import task_disk
from sandbox.testbed.containers.container_definition import ContainerDefinition, HealthCheck, TaskDefinition
from sandbox.testbed.containers.control_group import ControlGroup
from sandbox.testbed.containers.health import HealthMonitor
from sandbox.testbed.containers.running_container import RunningContainer, process_name
from sandbox.testbed.containers.task_network import TaskNetworkNamespace
from sandbox.testbed.containers.volumes import own_volumes
from sandbox.testbed.paths import private_directory
from tests.sandbox.atlantis.waiting import eventually

_SLEEP = "echo began; exec sleep 60"


class _Logs:
    """CloudWatch Logs, where only the number of lines matters."""

    def put_log_events(self, **batch: Any) -> None:
        assert batch["logEvents"]


def container(name: str, script: str = _SLEEP, **values: Any) -> ContainerDefinition:
    port = 4141 if name == "server" else None
    given: dict[str, Any] = {"entry_point": ["/bin/sh", "-c"], "command": [script], "port": port, "stop_seconds": 0.3}
    return ContainerDefinition(name, "image", {}, **{**given, **values})


class ContainerScratch:
    """A folder with the parts of tasks, and the tasks that a test has made in it."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._image, self._tools = private_directory(state / "image"), private_directory(state / "tools")
        image_tools.write_tools(self._tools)
        image_tools.write_image(self._image, Path("/bin/true"))
        (state / "trusted.pem").touch()
        self._tasks: list[Task] = []

    def task(
        self,
        *containers: ContainerDefinition,
        in_containers: bool = True,
        name: str = "task",
        memory_mib: int | None = None,
        cpu: int = 1024,
        disk_gib: int | None = None,
        outward: Iterable[socket.socket] | None = None,
    ) -> Task:
        """A task that hasn't started anything yet; a volume is on its disk. The first container is its server.

        With ``outward``, it has a separate network, from which it reaches the ports of these sockets only.
        """
        own: dict[str, Any] = dict.fromkeys(point.volume for item in containers for point in item.mounts)
        definition = TaskDefinition("arn", "X86_64", "execution", "task", own, containers)
        root = private_directory(self.state / "tasks" / name)
        nowhere, address, network = "http://127.0.0.1:1", "127.0.0.1", list[str]()
        resources, group = contextlib.ExitStack(), ControlGroup(self.state, name, memory_mib, cpu)
        resources.callback(group.remove)
        if disk_gib:
            resources.enter_context(task_disk.mounted(root, disk_gib))
        if outward is not None:
            namespace = TaskNetworkNamespace(4141, [each.getsockname()[1] for each in outward])
            address, network = resources.enter_context(namespace).address, namespace.enter()
        parts = TaskParts(
            definition,
            volumes=own_volumes(definition, root / "volumes"),
            network=TaskNetwork(nowhere, "ap-northeast-2", nowhere, self.state / "trusted.pem"),
            credentials_url=f"{nowhere}/credentials",
            agent_url=nowhere,
            database={},
            port=4141,
            image=self._image,
            tools=self._tools,
            contained=in_containers,
            boundaries=lambda item: [*group.enter(item.name, item.memory_mib), *network],
        )
        running = [
            RunningContainer(
                self.state,
                process_name(name, item.name, "server"),
                prepare(parts, item, {}, private_directory(root / "containers" / item.name)),
                _Logs(),
                ("group", "stream"),
            )
            for item in containers
        ]
        healthy = HealthMonitor(HealthCheck([]), lambda _seconds: None)
        task = Task(name, None, definition, running, address, 4141, None, healthy, root, resources)  # type: ignore[arg-type]
        self._tasks.append(task)
        return task

    def log(self, name: str) -> str:
        """What the process ``name`` has written."""
        file = self.state / "logs" / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def says(self, script: str, **values: Any) -> str:
        """The whole output of ``script`` as the server's container."""
        task = self.task(container("server", f"{script}\necho the end", **values))
        task.tick()
        return str(eventually("its end", lambda: "the end" in self.log("task") and self.log("task")))

    def stop(self) -> None:
        """Stop every task."""
        for task in self._tasks:
            task.stop()
        assert processes.recorded(self.state) == []


def process_of(task: Task, name: str) -> processes.Process:
    found = next(container.process for container in task.containers if container.definition.name == name)
    assert found is not None
    return found
