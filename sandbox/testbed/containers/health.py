"""Health checks: the container's (a command that ECS runs in it) and the target group's (a load balancer's request)."""

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from enum import Enum

from sandbox.testbed.containers.container_definition import HealthCheck
from sandbox.testbed.containers.errors import TaskStartError

Probe = Callable[[float], str | None]

# Docker's start interval allows more frequent checks during the start period. The user waits for the first success.
_START_INTERVAL = 0.5


class Health(Enum):
    """The health status of a container or a task, with the values of ECS."""

    UNKNOWN = "UNKNOWN"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"


class HealthMonitor:
    """Runs a health check at its interval, for the first time after one interval, as Docker does.

    In the start period, it is run more often, and failures don't count; the first success ends the period.

    ``probe`` runs the check once, with a timeout in seconds. It returns None on success, otherwise the failure's
    reason.
    """

    def __init__(self, check: HealthCheck, probe: Probe) -> None:
        self.check = check
        self._probe = probe
        self._started = time.monotonic()
        self._next = self._started + (0 if check.start_period else check.interval)
        self._failures = 0
        self.health = Health.UNKNOWN
        self.last_output = ""

    def tick(self) -> Health:
        """Run the check if it is due, and return the health status."""
        now = time.monotonic()
        if now < self._next:
            return self.health
        starting = self.health is Health.UNKNOWN and now - self._started < self.check.start_period
        if self._succeeds():
            self.health, self._failures, starting = Health.HEALTHY, 0, False
        elif not starting:
            self._failures += 1
            if self._failures >= self.check.retries:
                self.health = Health.UNHEALTHY
        self._next = time.monotonic() + (min(_START_INTERVAL, self.check.interval) if starting else self.check.interval)
        return self.health

    def _succeeds(self) -> bool:
        problem = self._probe(self.check.timeout)
        self.last_output = problem or ""
        return problem is None


def container_probe(
    command: list[str],
    environment: Mapping[str, str],
    inside: Callable[[list[str]], list[str]] = list,
) -> Probe:
    """Return a probe that runs ``command`` with the container's ``environment``, as ECS does.

    ``inside`` returns the command that executes the words in the container.
    """
    words, variables = inside(_program(command)), dict(environment)

    def probe(seconds: float) -> str | None:
        with subprocess.Popen(
            words,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as child:
            try:
                output, _ = child.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                return f"no answer within {seconds:g} s"
        return (
            None
            if child.returncode == 0
            else output.decode(errors="replace").strip() or f"exit code {child.returncode}"
        )

    return probe


def target_probe(port: int, path: str, matcher: str) -> Probe:
    """Return a probe that requests ``path`` as a load balancer does.

    ``matcher`` has the success codes, such as ``200,204-206``.
    """
    ranges = [
        (int(first), int(last or first)) for first, _, last in (part.partition("-") for part in matcher.split(","))
    ]

    def probe(seconds: float) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as problem:
            return f"GET {path}: {problem}"
        finally:
            connection.close()
        return None if any(first <= status <= last for first, last in ranges) else f"GET {path} answered {status}"

    return probe


def _program(command: list[str]) -> list[str]:
    kind, words = next(iter(command), ""), command[1:]
    if kind == "CMD-SHELL" and len(words) == 1:
        return ["/bin/sh", "-c", words[0]]
    if kind == "CMD" and words:
        return words
    raise TaskStartError(f"the health check's command must begin with CMD or CMD-SHELL, and this one is {command}")
