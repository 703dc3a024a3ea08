"""Starts a task from a service's task definition, with the permissions of its roles, and stops it."""

import contextlib
import os
import shutil
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from sandbox import processes
from sandbox.atlantis import (
    diagnosis,
    image_tools,
    locking_database,
    log_driver,
    registry,
    task_definition,
    task_secrets,
)
from sandbox.atlantis.agent_endpoint import AgentEndpoint
from sandbox.atlantis.companion import Companion, stop_leftovers
from sandbox.atlantis.container import Container, TaskNetwork, local_port, prepare, wiring_problems
from sandbox.atlantis.credentials import CredentialsEndpoint, assume
from sandbox.atlantis.deployed_service import Credentials, DeployedService, Service, refusal
from sandbox.atlantis.errors import TaskStartError
from sandbox.atlantis.health import HealthMonitor, container_probe
from sandbox.atlantis.targets import health_monitor
from sandbox.atlantis.task_definition import EfsMount, TaskDefinition
from sandbox.atlantis.task_user import TaskUser, TaskUserError, choose
from sandbox.certificates import Certificates
from sandbox.errors import SandboxError
from sandbox.paths import private_directory

__all__ = ["Launcher", "Task"]

_LAST_WORDS = 20_000


@dataclass
class Task:
    """A started task.

    ``image_digest`` is the digest of the pulled image, or None for an image outside the local AWS' registry;
    ``registered`` states whether the task is registered with the load balancer.
    """

    id: str
    service: Service
    definition: TaskDefinition
    container: Container
    process: processes.Process
    monitor: HealthMonitor
    _state: Path
    _log: Path
    _offset: int
    _shipper: log_driver.LogShipper
    _credentials: CredentialsEndpoint
    _agent: AgentEndpoint
    companions: list[Companion]
    image_digest: str | None
    registered: bool = False

    def last_words(self) -> str:
        """Return the end of the task's output."""
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            return stream.read()[-_LAST_WORDS:].decode(errors="replace")

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL after the stop timeout; then kill child processes and remove the writable layer.

        Only the server receives SIGTERM, and it waits until Terraform exits. The same applies to the image, whose init
        process runs with ``--single-child``.
        """
        for companion in self.companions:
            companion.stop()
        processes.stop(self._state, self.process.name, patience=self.definition.stop_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._shipper.close()
        self._credentials.close()
        self._agent.close()
        self.container.remove()


class Launcher:
    """Starts tasks of one deployment with the Atlantis server ``executable``."""

    def __init__(
        self, deployment: DeployedService, executable: Path, network: TaskNetwork, certificates: Certificates
    ) -> None:
        self._deployment = deployment
        self._certificates = certificates
        self._executable = executable
        self._network = network
        self._known = diagnosis.known_variables(executable)
        self._tasks = private_directory(deployment.state / "tasks" / deployment.name)
        self._tools = private_directory(deployment.state / "task-tools")
        self._image = private_directory(deployment.state / "task-image")
        self.missing_tools = image_tools.write_tools(self._tools)
        image_tools.write_image(self._image, executable)
        self.shared_user = ""
        """Why the task runs as the sandbox's own user; empty if it runs as a separate user."""

    def clear_leftovers(self, patience: float) -> bool:
        """Stop the processes that a previous agent left running, and remove the writable layers of its tasks."""
        state = self._deployment.state
        left = [name for name in self._deployment.task_names if processes.stop(state, name, patience=patience)]
        for name in self._deployment.task_names:
            stop_leftovers(state, name)
        locking_database.stop(state)
        for root in self._tasks.iterdir():
            shutil.rmtree(root, ignore_errors=True)
        return bool(left)

    def start(self, service: Service, task_id: str) -> Task:
        """Start a task for ``service``; raises ``TaskStartError`` with the problems if it can't be started."""
        definition = task_definition.read(self._deployment.task_definition(service.definition))
        _raise_if([*_rolling_problems(service, definition), *wiring_problems(definition, service.container_port)])
        execution = assume(self._deployment, definition.execution_role, task_id)
        digest = self._pull(definition, execution)
        secrets = task_secrets.resolve(
            self._deployment.client("secretsmanager", execution), definition.secrets, definition.execution_role
        )
        variables = {**definition.environment, **secrets}
        _raise_if(diagnosis.environment_problems(variables, self._known))
        database = locking_database.serve(self._deployment, variables, self._certificates)
        root = private_directory(self._tasks / task_id)
        volumes = {mount.container_path: self._volume(mount) for mount in definition.mounts}
        user = self._user(definition.user, root, volumes.values())
        logs = self._deployment.client("logs", execution)
        stream = log_driver.open_stream(logs, definition.log_options, definition.container, task_id)
        with contextlib.ExitStack() as undo:
            credentials = undo.enter_context(CredentialsEndpoint(self._deployment, definition.task_role, task_id))
            credentials.credentials()
            agent = AgentEndpoint(self._deployment, credentials, task_id)
            undo.callback(agent.close)
            container = prepare(
                definition,
                secrets,
                root=root,
                volumes=volumes,
                image=self._image,
                tools=self._tools,
                network=self._network,
                credentials_url=credentials.url,
                agent_url=agent.url,
                database=database,
                user=user,
            )
            undo.callback(container.remove)
            monitor = self._monitor(service, definition, container)
            name = next(
                name for name in self._deployment.task_names if not processes.find(self._deployment.state, name)
            )
            log = self._deployment.state / "logs" / f"{name}.log"
            offset = log.stat().st_size if log.exists() else 0
            process = self._run(name, container)
            undo.callback(processes.stop, self._deployment.state, name)
            environment = {"PATH": container.environment["PATH"], "ECS_AGENT_URI": agent.url}
            companions = []
            for companion in definition.companions:
                command = local_port(companion.command, definition.port, container.port)
                own_stream = log_driver.open_stream(logs, companion.log_options, companion.name, task_id)
                started = Companion(
                    self._deployment.state,
                    name,
                    companion,
                    command=command,
                    environment=environment,
                    root=container.root,
                )
                undo.callback(started.stop)
                started.ship(logs, own_stream)
                companions.append(started)
            undo.pop_all()
        shipper = log_driver.LogShipper(logs, stream, log, offset)
        return Task(
            task_id,
            service,
            definition,
            container,
            process,
            monitor,
            self._deployment.state,
            log,
            offset,
            shipper,
            credentials,
            agent,
            companions,
            digest,
        )

    def _pull(self, definition: TaskDefinition, execution: Credentials) -> str | None:
        image = registry.local_image(self._deployment, definition.image)
        if image is None:
            return None
        client = self._deployment.client("ecr", execution)
        return registry.pull(self._deployment, image, definition.architecture, client, definition.execution_role)

    def _run(self, name: str, container: Container) -> processes.Process:
        try:
            return processes.start(
                self._deployment.state,
                name,
                container.command,
                environment=container.environment,
                port=container.port,
                directory=container.home,
                user=(container.user.uid, container.user.gid) if container.user else None,
            )
        except (OSError, SandboxError) as problem:
            raise TaskStartError([f"the server can't be started: {problem}"]) from problem

    def _monitor(self, service: Service, definition: TaskDefinition, container: Container) -> HealthMonitor:
        """Return a monitor for the container's health check or, if it has none, for the load balancer's, as in ECS."""
        check = definition.health_check
        if check is None:
            return health_monitor(self._deployment, service.target_group, container.port, service.grace_seconds)
        return HealthMonitor(check, container_probe(container.health_command, container.environment, container.user))

    def _user(self, user: str, root: Path, volumes: Collection[Path]) -> TaskUser | None:
        state = self._deployment.state
        inside = [
            path
            for directory in (root, *volumes)
            for path in directory.parents
            if path == state or state in path.parents
        ]
        try:
            chosen = choose(
                user,
                readable=[self._executable, self._image / image_tools.ENTRY_POINT],
                programs=["git", "terraform", "curl"],
                opened=dict.fromkeys([*inside, self._image, self._tools]),
            )
        except TaskUserError as reason:
            self.shared_user = str(reason)
            return None
        for volume in volumes:
            chosen.own(volume)
        return chosen

    def _volume(self, mount: EfsMount) -> Path:
        """Return the directory of an EFS mount; raises ``TaskStartError`` if the file system can't be mounted."""
        client = self._deployment.client("efs")
        root = "/"
        try:
            targets = client.describe_mount_targets(FileSystemId=mount.file_system)["MountTargets"]
            if mount.access_point:
                points = client.describe_access_points(AccessPointId=mount.access_point)["AccessPoints"]
                root = points[0]["RootDirectory"]["Path"]
                if points[0]["FileSystemId"] != mount.file_system:
                    raise TaskStartError(
                        [f"access point {mount.access_point} belongs to another file system than {mount.file_system}"]
                    )
        except ClientError as problem:
            raise TaskStartError([f"{mount.container_path} can't be mounted: {refusal(problem)}"]) from problem
        if not targets:
            raise TaskStartError(
                [f"{mount.container_path} can't be mounted: {mount.file_system} has no mount target yet"]
            )
        return private_directory(self._deployment.state / "efs" / mount.file_system / root.lstrip("/"))


def _rolling_problems(service: Service, definition: TaskDefinition) -> list[str]:
    one_by_one = service.minimum_healthy_percent == 0 and service.maximum_percent == 100
    overlapping = service.overlaps and locking_database.keeps_locks_in_redis(definition.environment)
    if service.desired_count == 1 and (one_by_one or overlapping):
        return []
    return [
        f"the service runs {service.desired_count} task(s) and may run {service.minimum_healthy_percent} to "
        f"{service.maximum_percent} % of them during a deployment: two servers would fight for the lock of one data "
        "directory; it must be 1 task, 0 to 100 %, or 100 to 200 % with locks in Redis"
    ]


def _raise_if(problems: list[str]) -> None:
    if problems:
        raise TaskStartError(problems)
