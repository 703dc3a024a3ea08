"""A running task: its containers, which start, fail and stop together as in ECS."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.atlantis import diagnosis
from sandbox.testbed.containers.container_definition import (
    Condition,
    ContainerDefinition,
    Dependency,
    TaskDefinition,
)
from sandbox.testbed.containers.deployed_service import Service
from sandbox.testbed.containers.health import Health, HealthMonitor
from sandbox.testbed.containers.running_container import RunningContainer


@dataclass(frozen=True)
class Failure:
    """Why a task must be stopped: ``reason`` as ECS says it, and the problems that the operator has to solve."""

    reason: str
    problems: list[str]


@dataclass
class Task:
    """A task of the service.

    ``address`` and ``port`` are the server's on this machine; ``target_health`` is the load balancer's health check, which counts if
    the server's container has none; None without a load balancer. ``root`` has the task's own files, which are removed with it.
    ``resources`` are closed when it has stopped. ``image_digest`` is the digest of the pulled image, or None for an image outside
    the local AWS' registry; ``not_run`` has the reason for each container that the sandbox can't run.
    """

    id: str
    service: Service
    definition: TaskDefinition
    containers: list[RunningContainer]
    address: str
    port: int
    image_digest: str | None
    target_health: HealthMonitor | None
    root: Path
    resources: contextlib.ExitStack
    not_run: Mapping[str, str] = field(default_factory=dict)
    serving: bool = False
    """Whether it has become healthy and, behind a load balancer, has been registered."""
    kept: bool = False
    """Whether an event says that it runs until another one has replaced it."""
    waits: bool = False
    """Whether an event says that its protection keeps it running."""
    next_look: float = 0.0
    """When its registration is to be read again."""
    _created: float = field(default_factory=time.monotonic)

    @property
    def server(self) -> RunningContainer:
        """The container that serves the task's port."""
        return self._find(self.definition.server.name)

    @property
    def container_health(self) -> Health:
        """The task's health as ECS shows it: that of its essential containers that have a health check."""
        seen = {item.health for item in self.containers if item.definition.essential and item.health}
        if Health.UNHEALTHY in seen:
            return Health.UNHEALTHY
        return Health.HEALTHY if seen == {Health.HEALTHY} else Health.UNKNOWN

    def container_states(self) -> dict[str, dict[str, str]]:
        """What ECS shows of each container, by its name."""
        return {
            item.definition.name: {
                "lastStatus": "PENDING" if item.process is None else "STOPPED" if item.ended else "RUNNING",
                "healthStatus": (item.health or Health.UNKNOWN).value,
            }
            for item in self.containers
        }

    def tick(self) -> Health:
        """Start the containers that may start now, and return the task's health; raises ``TaskStartError`` if one can't start."""
        for container in self._may_start():
            container.start()
        for container in self.containers:
            container.tick()
        return self._health()

    def failure(self) -> Failure | None:
        """Why the task must be stopped now, or None."""
        for container in self.containers:
            if container.definition.essential and container.ended:
                return self._ended(container)
        for container in self.containers:
            if container.process is None:
                for dependency in container.definition.dependencies:
                    if problem := self._hopeless(container.definition, dependency):
                        return Failure(f"{container.definition.name} can't start", [problem])
        for monitor in self._monitors():
            if monitor.health is Health.UNHEALTHY:
                reason = f"its health check failed {monitor.check.retries} times: {monitor.last_output}"
                return Failure("it is unhealthy", [reason])
        return None

    def stop(self) -> None:
        """Stop the containers, those that depend on others first, and remove the task's files.

        ECS sends signals to process 1 of a container only. Terraform gets them from the server, which waits until it exits.
        """
        for wave in reversed(list(self._waves())):
            with ThreadPoolExecutor(len(wave)) as pool:
                for _ in pool.map(RunningContainer.stop, wave):
                    pass
        self.resources.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _find(self, name: str) -> RunningContainer:
        return next(container for container in self.containers if container.definition.name == name)

    def _may_start(self) -> Iterator[RunningContainer]:
        started = True
        while started:
            started = False
            for container in self.containers:
                if container.process is None and all(
                    self._find(item.container).meets(item.condition) for item in container.definition.dependencies
                ):
                    started = True
                    yield container

    def _waves(self) -> Iterator[list[RunningContainer]]:
        left = list(self.containers)
        while left:
            names = {container.definition.name for container in left}
            wave = [item for item in left if not names & {on.container for on in item.definition.dependencies}]
            yield wave
            left = [container for container in left if container not in wave]

    def _monitors(self) -> Iterator[HealthMonitor]:
        for container in self.containers:
            if container.definition.essential and container.monitor:
                yield container.monitor
        if self.target_health and self.definition.server.health_check is None and self.server.process:
            yield self.target_health

    def _health(self) -> Health:
        if self.target_health and self.definition.server.health_check is None and self.server.process:
            self.target_health.tick()
        seen = {monitor.health for monitor in self._monitors()}
        if Health.UNHEALTHY in seen:
            return Health.UNHEALTHY
        waiting = any(container.process is None for container in self.containers)
        return Health.UNKNOWN if waiting or Health.UNKNOWN in seen else Health.HEALTHY

    def _ended(self, container: RunningContainer) -> Failure:
        words = container.last_words()
        if container is self.server and self.target_health:
            return Failure("it ended by itself", [diagnosis.explain_exit(words)])
        said = " / ".join(words.strip().splitlines()[-3:]) or "it wrote nothing"
        return Failure(
            f"its container {container.definition.name} ended",
            [f"the container {container.definition.name}, which is essential, ended: {said}"],
        )

    def _hopeless(self, container: ContainerDefinition, dependency: Dependency) -> str | None:
        """Why ``dependency`` will never be met, or not within the start timeout of the other container."""
        other = self._find(dependency.container)
        if other.meets(dependency.condition) or other.process is None:
            return None
        what = f"{container.name} waits until {dependency.container} is {dependency.condition.value}"
        if other.ended and dependency.condition is not Condition.START:
            return f"{what}, but it ended: {' / '.join(other.last_words().strip().splitlines()[-3:])}"
        if other.health is Health.UNHEALTHY and other.monitor:
            return f"{what}, but it is unhealthy: {other.monitor.last_output}"
        if time.monotonic() - self._created > other.definition.start_seconds:
            return f"{what}, which took longer than its start timeout of {other.definition.start_seconds:g} s"
        return None
