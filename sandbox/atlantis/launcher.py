"""Starts a task from a service's task definition, with the permissions of its roles."""

import contextlib
import copy
import functools
import shutil
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from sandbox.atlantis import (
    diagnosis,
    image_tools,
    locking_database,
    registry,
)
from sandbox.atlantis.container import TaskNetwork, TaskParts, prepare, wiring_problems
from sandbox.atlantis.task import Task
from sandbox.testbed import processes
from sandbox.testbed.certificates import Certificates
from sandbox.testbed.containers import (
    bubblewrap,
    control_group,
    images,
    log_driver,
    task_definition,
    task_disk,
    task_secrets,
    volumes,
)
from sandbox.testbed.containers.container_definition import TaskDefinition
from sandbox.testbed.containers.deployed_service import Credentials, DeployedService, Service
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.running_container import RunningContainer, process_name
from sandbox.testbed.containers.targets import LOOPBACK, health_monitor
from sandbox.testbed.containers.task_endpoint import TaskEndpoint
from sandbox.testbed.containers.task_network import TaskNetworkNamespace
from sandbox.testbed.containers.task_user import container_user
from sandbox.testbed.paths import private_directory
from sandbox.testbed.ports import free_port

_WORKERS_KEY = "WORKERS_KEY"


class Launcher:
    """Starts tasks of one service with the Atlantis server ``executable``."""

    def __init__(
        self, deployment: DeployedService, executable: Path, network: TaskNetwork, certificates: Certificates
    ) -> None:
        self._deployment = deployment
        self._certificates = certificates
        self._executable = executable
        self._network = network
        self._known = diagnosis.known_variables()
        self._tasks = private_directory(deployment.state / "tasks" / deployment.name)
        self._tools = private_directory(deployment.state / "task-tools")
        self._image = private_directory(deployment.state / "task-image")
        self.has_terraform = image_tools.write_tools(self._tools)
        image_tools.write_image(self._image, executable)
        self.without_containers = bubblewrap.why_not()
        """Why the task's containers share this machine's files and processes; empty if they don't."""

    def of(self, deployment: DeployedService) -> Self:
        """The same for another service of the stack."""
        other = copy.copy(self)
        other._deployment = deployment
        other._tasks = private_directory(deployment.state / "tasks" / deployment.name)
        return other

    def clear_leftovers(self, patience: float) -> bool:
        """Stop the processes that a previous agent left running, and remove the files of its tasks."""
        left = self._deployment.stop_processes(patience)
        for root in self._tasks.iterdir():
            shutil.rmtree(root, ignore_errors=True)
        return left

    def start(self, service: Service, task_id: str) -> Task:
        """Start a task for ``service``; raises ``TaskStartError`` with the problems if it can't be started."""
        definition = task_definition.read(self._deployment.task_definition(service.definition))
        contained = not self.without_containers
        _raise_if(
            [
                *_missing_programs(definition),
                *_rolling_problems(service, definition),
                *wiring_problems(definition, contained=contained),
            ]
        )
        execution = self._deployment.assume(definition.execution_role, task_id)
        digest = self._pull(definition, execution)
        secrets = self._secrets(definition, execution)
        # Their images are pulled and their secrets are read in any case, so that missing permissions are found.
        definition, not_run = images.runnable(definition)
        database: dict[str, str] = {}
        if service.target_group:
            variables = {**definition.server.environment, **secrets[definition.server.name]}
            _raise_if(diagnosis.unknown_variables(variables, self._known))
            database = locking_database.serve(self._deployment, variables, self._certificates)
        root = private_directory(self._tasks / task_id)
        with contextlib.ExitStack() as resources:
            if contained and not task_disk.why_not():
                resources.enter_context(task_disk.mounted(root, definition.disk_gib))
            parts, address = self._parts(service, definition, root, database, resources)
            task = Task(
                task_id,
                service,
                definition,
                self._containers(parts, secrets, root, execution),
                address,
                parts.port,
                digest,
                health_monitor(self._deployment, service.target_group, parts.port, service.grace_seconds)
                if service.target_group
                else None,
                root,
                resources.pop_all(),
                not_run,
            )
        try:
            task.tick()
        except BaseException:
            task.stop()
            raise
        return task

    def _parts(
        self,
        service: Service,
        definition: TaskDefinition,
        root: Path,
        database: dict[str, str],
        resources: contextlib.ExitStack,
    ) -> tuple[TaskParts, str]:
        """What the containers share, and the task's address; ``resources`` end with the task."""
        contained = not self.without_containers
        on_efs = volumes.efs_volumes(self._deployment, definition)
        if contained:
            for volume in on_efs.values():
                container_user(definition.server.user).own(volume)
        endpoint = resources.enter_context(TaskEndpoint(self._deployment, definition.task_role, root.name))
        endpoint.credentials()
        memory = definition.memory_mib if contained else None
        group = control_group.ControlGroup(self._deployment.state, root.name, memory, definition.cpu)
        resources.callback(group.remove)
        address, port, network = LOOPBACK, free_port(), list[str]()
        if not service.target_group:
            # Its security group lets nothing in but the port of the task, and out what these addresses stand for.
            outward = [self._network.aws_endpoint, self._network.github_proxy, endpoint.agent_url]
            port = definition.port
            namespace = resources.enter_context(
                TaskNetworkNamespace(port, [urlsplit(url).port or 0 for url in outward])
            )
            address, network = namespace.address, namespace.enter()
        parts = TaskParts(
            definition,
            volumes={**on_efs, **volumes.own_volumes(definition, root / "volumes")},
            network=self._network,
            credentials_url=endpoint.credentials_url,
            agent_url=endpoint.agent_url,
            database=database,
            port=port,
            image=self._image,
            tools=self._tools,
            contained=contained,
            boundaries=lambda container: [*group.enter(container.name, container.memory_mib), *network],
        )
        return parts, address

    def _containers(
        self, parts: TaskParts, secrets: dict[str, dict[str, str]], root: Path, execution: Credentials
    ) -> list[RunningContainer]:
        state, task = self._deployment.state, root.name
        free = next(name for name in self._deployment.task_names() if not processes.find(state, name))
        logs = self._deployment.client("logs", execution)
        containers = []
        for definition in parts.definition.containers:
            name = process_name(free, definition.name, parts.definition.server.name)
            stream = log_driver.open_stream(logs, definition.log_options, definition.name, task)
            container = prepare(parts, definition, secrets[definition.name], root / "containers" / definition.name)
            containers.append(RunningContainer(state, name, container, logs, stream))
        return containers

    def _secrets(self, definition: TaskDefinition, execution: Credentials) -> dict[str, dict[str, str]]:
        client = functools.partial(self._deployment.client, credentials=execution)
        return {
            container.name: task_secrets.resolve(client, container.secrets, definition.execution_role)
            for container in definition.containers
        }

    def _pull(self, definition: TaskDefinition, execution: Credentials) -> str | None:
        """Pull the images; returns the digest of the server's, None if it isn't in the local AWS' registry."""
        client = self._deployment.client("ecr", execution)
        digests = {}
        for reference in {container.image for container in definition.containers}:
            if image := registry.local_image(self._deployment, reference):
                role = definition.execution_role
                digests[reference] = registry.pull(self._deployment, image, definition.architecture, client, role)
        return digests.get(definition.server.image)


def _missing_programs(definition: TaskDefinition) -> list[str]:
    """Problems for programs of the image that this machine must have where the image has them."""
    uses_tls = any(_WORKERS_KEY in container.secrets for container in definition.containers)
    if not uses_tls or shutil.which("stunnel", path=image_tools.PATH):
        return []
    return [
        "this machine has no stunnel, with which the server and the workers connect: install it (Debian: apt-get install stunnel4)"
    ]


def _rolling_problems(service: Service, definition: TaskDefinition) -> list[str]:
    if not service.target_group:
        return []
    one_by_one = service.minimum_healthy_percent == 0 and service.maximum_percent == 100
    overlapping = service.overlaps and locking_database.keeps_locks_in_redis(definition.server.environment)
    if service.desired_count == 1 and (one_by_one or overlapping):
        return []
    return [
        f"the service runs {service.desired_count} task(s) and may run {service.minimum_healthy_percent} to "
        f"{service.maximum_percent} % of them during a deployment: two servers would fight for the lock of one data "
        "directory; it must be 1 task, 0 to 100 %, or 100 to 200 % with locks in Redis"
    ]


def _raise_if(problems: list[str]) -> None:
    if problems:
        raise TaskStartError(*problems)
