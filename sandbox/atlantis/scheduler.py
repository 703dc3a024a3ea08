"""Maintains the deployed service's task, as the ECS service scheduler does."""

import time
import uuid
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.atlantis.launcher import Launcher
from sandbox.atlantis.task import Failure, Task
from sandbox.testbed.containers import targets
from sandbox.testbed.containers.deployed_service import DeployedService, Service
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.containers.health import Health
from sandbox.testbed.local_aws.task_status import (
    Outcome,
    Status,
    StatusFile,
    TaskRecord,
    event,
)

__all__ = ["Scheduler"]

# The circuit breaker's threshold: half of the desired count, but never less than three failures.
_FAILURES = 3
_LONGEST_PAUSE = 30.0
_LOOK_SECONDS = 5.0


class Scheduler:
    """Replaces the task of a service: stops the old one first (0 to 100 %), or starts the new one first (100 to 200 %).

    A failed deployment is rolled back as the circuit breaker is configured; if the new task started first, the old task
    is still running. A protected task isn't stopped: a deployment or a smaller desired count waits until its protection
    ends.

    The caller repeats ``tick``. Each call reads the service and the task, and does the next step.
    """

    def __init__(self, deployment: DeployedService, launcher: Launcher, status_file: StatusFile) -> None:
        self._deployment = deployment
        self._launcher = launcher
        self._file = status_file
        known = status_file.read()
        self._status = Status(
            last_good=known.last_good,
            proxy_port=known.proxy_port,
            endpoint=deployment.endpoint,
            outcomes=known.outcomes,
            # Tasks that a previous agent left running have been stopped.
            tasks=[task for task in known.tasks if task.stopped_at is not None],
        )
        self._task: Task | None = None
        self._old: Task | None = None
        self._failures: dict[str, int] = {}
        self._not_before = self._next_look = 0.0
        self._shared_user = ""
        self._save()

    @property
    def status(self) -> Status:
        """The current status."""
        return self._status

    def tick(self) -> None:
        """Do the next step."""
        try:
            service = self._deployment.service()
            if service is None or service.desired_count == 0:
                if service and self._task and self._must_wait(self._task):
                    self._watch(self._task)
                    return
                self._rest("the service's desired count is 0" if service else "the service doesn't exist")
                return
            if self._task and self._task.service.deployment != service.deployment:
                self._replace(self._task, service)
            if self._old and (failure := self._old.failure()):
                self._end_old(failure.reason, targets.deregister)
            if self._task is None:
                self._start(service)
        except (BotoCoreError, ClientError) as problem:
            # An agent that can't connect to ECS leaves its tasks running.
            self.say_once(f"the local AWS does not answer as it should: {problem}")
        if self._task is not None:
            self._watch(self._task)
        if self._old and self._task and self._task.registered:
            self._release_old()

    def close(self) -> None:
        """Stop all tasks before the agent exits."""
        self._stop_all("the sandbox is stopping")
        self._status.state = "idle"
        self._save()

    def announce(self, proxy_port: int) -> None:
        """Record the port of the reverse proxy."""
        self._status.proxy_port = proxy_port
        self._save()

    def say(self, message: str) -> None:
        """Record an event."""
        self._status.events.append(event(message))
        print(event(message), flush=True)
        self._save()

    def say_once(self, message: str) -> None:
        """Record an event unless it repeats the latest one."""
        if not self._status.events or not self._status.events[-1].endswith(message):
            self.say(message)

    def _start(self, service: Service) -> None:
        outcome = self._status.outcomes.get(service.deployment)
        if time.monotonic() < self._not_before or (outcome and outcome.problems and service.circuit_breaker):
            return
        self._status.state = "starting"
        self._status.deployment, self._status.definition = service.deployment, service.definition
        record = TaskRecord(uuid.uuid4().hex, service.deployment, service.definition, time.time())
        self._status.tasks.append(record)
        try:
            self._task = self._launcher.start(service, record.id)
        except TaskStartError as error:
            self._failed(service, record.id, error.problems, final=True)
            return
        self._next_look = 0.0
        self._status.task, self._status.port = self._task.id, self._task.port
        image, digest = self._task.definition.server.image, self._task.image_digest
        pulled = f"pulled as {digest[:19]}" if digest else "not pulled: it isn't in a registry of the local AWS"
        server = self._task.server.process
        process = f" as process {server.pid}" if server else ", and its server waits for other containers"
        self.say(
            f"task {self._task.id[:8]} of {_short(service.definition)} started{process}, "
            f"its image {image.rpartition('/')[2]} {pulled}"
        )
        self._status.not_run = [f"{name}: {reason}" for name, reason in self._task.not_run.items()]
        for each in self._status.not_run:
            self.say(f"the container isn't run: {each}")
        if self._launcher.shared_user not in {"", self._shared_user}:
            self._shared_user = self._launcher.shared_user
            self.say(f"tasks run as the sandbox's own user: {self._shared_user}")

    def _replace(self, task: Task, service: Service) -> None:
        if service.overlaps and task.registered and self._old is None:
            self._old, self._task = task, None
            self.say(f"task {task.id[:8]} keeps running until a new task has replaced it")
        elif not self._must_wait(task):
            self._stop("a new deployment replaces it")

    def _must_wait(self, task: Task) -> bool:
        """Whether ``task`` is protected; if it is, an event is recorded once."""
        if not self._deployment.is_protected(task.id):
            return False
        self.say_once(
            f"task {task.id[:8]} is protected because operations are in progress: ECS stops it when they have ended"
        )
        return True

    def _release_old(self) -> None:
        """Stop the old task, which the new one has replaced, unless it is protected."""
        try:
            if self._old and not self._must_wait(self._old):
                self._end_old("a new one has replaced it", targets.drain)
        except (BotoCoreError, ClientError) as problem:
            self.say_once(f"the local AWS does not answer as it should: {problem}")

    def _watch(self, task: Task) -> None:
        health = Health.UNKNOWN
        try:
            health = task.tick()
            failure = task.failure()
        except TaskStartError as error:
            failure = Failure("one of its containers can't be started", error.problems)
        if failure:
            self._stop(failure.reason)
            self._failed(task.service, task.id, failure.problems)
        elif health is Health.HEALTHY:
            self._serve(task)

    def _serve(self, task: Task) -> None:
        """Keep a healthy task registered, because a local AWS that was killed restarts with an older state."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_SECONDS
        try:
            if not targets.is_registered(self._deployment, task.service.target_group, task.port):
                targets.register(self._deployment, task.service.target_group, task.port)
                self.say(f"task {task.id[:8]} is healthy and registered with the load balancer")
        except (BotoCoreError, ClientError) as problem:
            self.say_once(f"the task is healthy but can't be registered: {problem}")
            return
        if not task.registered:
            # The local AWS keeps one target for each address, so the new task has replaced the old one.
            self._release_old()
            task.registered = True
            self._failures.pop(task.service.deployment, None)
            self._status.state, self._status.last_good = "healthy", task.service.definition
            self._status.outcomes[task.service.deployment] = Outcome(task.service.definition)
            self._save()

    def _stop(self, reason: str) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        self._status.state = "stopping"
        self._end(task, reason, targets.deregister)
        self._status.task = self._status.port = None
        self._save()

    def _end_old(self, reason: str, leave: Callable[[DeployedService, str, int], None]) -> None:
        task, self._old = self._old, None
        if task is not None:
            self._end(task, reason, leave)

    def _stop_all(self, reason: str) -> None:
        self._stop(reason)
        self._end_old(reason, targets.deregister)

    def _end(self, task: Task, reason: str, leave: Callable[[DeployedService, str, int], None]) -> None:
        self.say(f"stopping task {task.id[:8]}: {reason}")
        if task.registered:
            try:
                leave(self._deployment, task.service.target_group, task.port)
            except (BotoCoreError, ClientError) as problem:
                # The target group may have been deleted with the stack; the process must be stopped anyway.
                self.say(f"the target could not be deregistered: {problem}")
        task.stop()
        self._record_end(task.id, reason)
        self.say(f"task {task.id[:8]} has stopped")

    def _record_end(self, task: str, reason: str, *, failed: bool = False) -> None:
        for record in self._status.tasks:
            if record.id == task:
                record.stopped_at, record.reason, record.failed = record.stopped_at or time.time(), reason, failed

    def _failed(self, service: Service, task: str, problems: list[str], *, final: bool = False) -> None:
        self._record_end(task, "; ".join(problems), failed=True)
        earlier = self._status.outcomes.get(service.deployment)
        count = self._failures[service.deployment] = self._failures.get(service.deployment, 0) + 1
        self._not_before = time.monotonic() + min(2.0 ** (count - 1), _LONGEST_PAUSE)
        self._status.state = "starting"
        for problem in problems:
            self.say(f"{_short(service.definition)} failed: {problem}")
        if (earlier and not earlier.problems) or not (final or count >= _FAILURES):
            return
        self._status.state = "failed"
        good = self._status.last_good
        roll_back = service.circuit_breaker and service.rollback and good is not None and good != service.definition
        self._status.outcomes[service.deployment] = Outcome(service.definition, problems, good if roll_back else None)
        if roll_back and good is not None:
            self._deployment.roll_back(good)
            self._not_before = 0.0
            self.say(f"the circuit breaker rolls back from {_short(service.definition)} to {_short(good)}")
            if self._old and self._old.service.definition == good:
                self._take_back(self._old)
        self._save()

    def _take_back(self, task: Task) -> None:
        """Make the old task the current one after a rollback to its task definition."""
        self._task, self._old = task, None
        task.service = self._deployment.require_service()
        self._status.task, self._status.port = task.id, task.port
        self._status.deployment, self._status.definition = task.service.deployment, task.service.definition
        self._status.outcomes[task.service.deployment] = Outcome(task.service.definition)
        self._status.state = "healthy"

    def _rest(self, why: str) -> None:
        self._stop_all(why)
        if self._status.state != "idle":
            self._status.state = "idle"
            self.say(f"nothing runs: {why}")

    def _save(self) -> None:
        self._file.write(self._status)


def _short(definition: str) -> str:
    return definition.rpartition("/")[2]
