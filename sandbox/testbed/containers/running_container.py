"""A container of a running task: its process, its health, its restarts and its log."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.testbed import processes
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.bubblewrap import ContainerUser
from sandbox.testbed.containers.container_definition import Condition, ContainerDefinition
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.health import Health, HealthMonitor, container_probe
from sandbox.testbed.containers.log_driver import LogShipper
from sandbox.testbed.errors import SandboxError

_LAST_WORDS = 20_000


def process_name(task_process: str, container: str, server: str) -> str:
    """The name of a container's process and log: the task's for the ``server``'s, otherwise the container's after it."""
    return task_process if container == server else f"{task_process}.{container}"


@dataclass(frozen=True)
class Container:
    """Everything needed to start a container; ``root`` is its writable layer, which is removed with the task.

    ``environment``, ``command`` and ``directory`` are those of its process 1. ``prefix`` returns the words that start it, for the
    descriptor that they report it to; None if it runs without a container.
    """

    definition: ContainerDefinition
    root: Path
    environment: dict[str, str]
    command: list[str]
    health_command: list[str]
    directory: Path
    user: ContainerUser | None
    prefix: Callable[[int], list[str]] | None

    def inside(self, pid: int, words: Sequence[str]) -> list[str]:
        """The command that executes ``words`` in the container whose process 1 is ``pid``."""
        if self.user:
            return bubblewrap.enter(pid, self.user, words)
        return list(words)


class RunningContainer:
    """A container of a task, before its start too: ECS starts it when the containers that it depends on allow that."""

    def __init__(self, state: Path, name: str, container: Container, logs: Any, stream: tuple[str, str]) -> None:
        self._state, self._name, self._container = state, name, container
        self._logs, self._stream = logs, stream
        self._log = state / "logs" / f"{name}.log"
        self._offset = self._log.stat().st_size if self._log.exists() else 0
        self._shipper: LogShipper | None = None
        self._monitor: HealthMonitor | None = None
        self._started = 0.0
        self.process: processes.Process | None = None

    @property
    def definition(self) -> ContainerDefinition:
        """The container as the task definition describes it."""
        return self._container.definition

    @property
    def health(self) -> Health | None:
        """The result of its health check; None if it has none."""
        if self.definition.health_check is None:
            return None
        return self._monitor.health if self._monitor else Health.UNKNOWN

    @property
    def monitor(self) -> HealthMonitor | None:
        """Its health check, which runs since its start."""
        return self._monitor

    @property
    def ended(self) -> bool:
        """Whether it has run and ended, and isn't restarted."""
        return self.process is not None and not self.process.alive and not self._restarts()

    def meets(self, condition: Condition) -> bool:
        """Whether a container that depends on it may start."""
        code = processes.exit_code(self.process) if self.process and not self.process.alive else None
        return {
            Condition.START: self.process is not None,
            Condition.COMPLETE: code is not None,
            Condition.SUCCESS: code == 0,
            Condition.HEALTHY: self.health is Health.HEALTHY,
        }[condition]

    def last_words(self) -> str:
        """Return the end of its output."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            return stream.read()[-_LAST_WORDS:].decode(errors="replace")

    def start(self) -> None:
        """Start it; raises ``TaskStartError`` if that is impossible."""
        self._started = time.monotonic()
        container = self._container
        try:
            self.process = self._begin(container)
        except (OSError, SandboxError) as problem:
            said = self.last_words().strip().splitlines()[-1:]
            raise TaskStartError(
                f"the container {self.definition.name} can't be started: {'; '.join([str(problem), *said])}"
            ) from problem
        if check := self.definition.health_check:
            command = container.health_command
            pid = self.process.pid
            probe = container_probe(command, container.environment, lambda words: container.inside(pid, words))
            self._monitor = HealthMonitor(check, probe)
        if self._shipper is None:
            self._shipper = LogShipper(self._logs, self._stream, self._log, self._offset)

    def tick(self) -> None:
        """Check its health, or restart it if it has exited and the period of its restart policy is over."""
        if self.process is None:
            return
        if self.process.alive:
            if self._monitor:
                self._monitor.tick()
        elif self._restarts() and time.monotonic() - self._started >= self.definition.restart.period:  # pyright: ignore[reportOptionalMemberAccess]
            self.start()

    def stop(self) -> None:
        """Send SIGTERM to its process 1, and SIGKILL after the stop timeout; then kill the processes that it started."""
        processes.stop(self._state, self._name, patience=self.definition.stop_seconds)
        if self.process:
            # In a container, the kernel has killed them together with process 1.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        if self._shipper:
            self._shipper.close()

    def _restarts(self) -> bool:
        policy = self.definition.restart
        if policy is None or self.process is None:
            return False
        # While the process that waits for it still runs, its exit code isn't known.
        code = processes.exit_code(self.process)
        return code is not None and code not in policy.ignored_exit_codes

    def _begin(self, container: Container) -> processes.Process:
        if container.prefix is None:
            return processes.start(
                self._state,
                self._name,
                container.command,
                environment=container.environment,
                directory=container.directory,
            )
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as report, os.fdopen(writing, "wb"):
            return processes.start(
                self._state,
                self._name,
                [*container.prefix(writing), *container.command],
                environment=container.environment,
                directory=container.directory,
                # As container runtimes set it.
                umask=0o022,
                descriptors=[writing],
                main=lambda child: bubblewrap.main_process(report.fileno(), child),
            )
