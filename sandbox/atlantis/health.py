"""The container's health check, run as ECS runs it: a command, at its interval, counted."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from enum import Enum

from sandbox.atlantis.errors import TaskStartError
from sandbox.atlantis.task_definition import HealthCheck

__all__ = ["Health", "HealthMonitor"]

# While a container starts, Docker may be asked to look more often than at its interval; a person is waiting here.
_START_INTERVAL = 0.5


class Health(Enum):
    """What ECS calls a container's health."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class HealthMonitor:
    """Runs ``command`` when it is due. Failures during the start period don't count; the first success ends it."""

    def __init__(self, check: HealthCheck, command: list[str], environment: Mapping[str, str]) -> None:
        self._check = check
        self._command = _program(command)
        self._environment = dict(environment)
        self._started = self._next = time.monotonic()
        self._failures = 0
        self.health = Health.UNKNOWN
        self.last_output = ""

    def tick(self) -> Health:
        """Run the check if it is due, and say how the container stands."""
        now = time.monotonic()
        if now < self._next:
            return self.health
        starting = self.health is Health.UNKNOWN and now - self._started < self._check.start_period
        if self._succeeds():
            self.health, self._failures, starting = Health.HEALTHY, 0, False
        elif not starting:
            self._failures += 1
            if self._failures >= self._check.retries:
                self.health = Health.UNHEALTHY
        self._next = time.monotonic() + (
            min(_START_INTERVAL, self._check.interval) if starting else self._check.interval
        )
        return self.health

    def _succeeds(self) -> bool:
        with subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as child:
            try:
                output, _ = child.communicate(timeout=self._check.timeout)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                self.last_output = f"no answer within {self._check.timeout:g} s"
                return False
        self.last_output = output.decode(errors="replace").strip()
        return child.returncode == 0


def _program(command: list[str]) -> list[str]:
    kind, words = next(iter(command), ""), command[1:]
    if kind == "CMD-SHELL" and len(words) == 1:
        return ["/bin/sh", "-c", words[0]]
    if kind == "CMD" and words:
        return words
    raise TaskStartError([f"the health check's command must begin with CMD or CMD-SHELL, and this one is {command}"])
