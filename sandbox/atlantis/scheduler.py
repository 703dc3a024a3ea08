"""Maintains a deployed service's tasks, as the ECS service scheduler does."""

import functools
import math
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

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

# The circuit breaker's threshold: half of the desired count, within these bounds.
_LEAST_FAILURES, _MOST_FAILURES = 3, 200
_LONGEST_PAUSE = 30.0
_LOOK_SECONDS = 5.0
_STOPS_AT_ONCE = 32


@dataclass(frozen=True)
class _Stop:
    """A task that is being stopped; the result of ``done`` is the reason for which its target wasn't deregistered, or empty."""

    task: Task
    reason: str
    done: "Future[str]"


class Scheduler:
    """Starts and stops the tasks of a service within the percentages of its deployment configuration.

    With 0 to 100 %, the old task stops before the new one starts; with 100 to 200 %, the new one is healthy first. A failed
    deployment is rolled back as the circuit breaker is configured, to the old tasks that are still running. A protected task isn't
    stopped: a deployment or a smaller desired count waits until its protection ends.

    The caller repeats ``tick``. Each call reads the service and the tasks, and does the next step. Tasks stop in the background.
    """

    def __init__(self, deployment: DeployedService, launcher: Launcher, status_file: StatusFile, agent: str) -> None:
        self._deployment = deployment
        self._launcher = launcher
        self._file = status_file
        known = status_file.read()
        self._status = Status(
            last_good=known.last_good,
            proxy_port=known.proxy_port,
            endpoint=deployment.endpoint,
            agent=agent,
            outcomes=known.outcomes,
            # Tasks that a previous agent left running have been stopped.
            tasks=[task for task in known.tasks if task.stopped_at is not None],
        )
        self._tasks: list[Task] = []
        self._stopping: list[_Stop] = []
        self._stops = ThreadPoolExecutor(_STOPS_AT_ONCE, thread_name_prefix="stop")
        self._failures: dict[str, int] = {}
        self._not_before = 0.0
        self._service: Service | None = None
        self._save()

    @property
    def status(self) -> Status:
        """The current status."""
        return self._status

    def tick(self) -> None:
        """Do the next step."""
        self._forget_stopped()
        self._attempt(self._schedule)
        for task in list(self._tasks):
            self._attempt(functools.partial(self._watch, task))
        self._settle()
        self._record_tasks()

    def close(self) -> None:
        """Stop all tasks before the agent exits."""
        self._stop_all("the sandbox is stopping")
        self._stops.shutdown()
        self._forget_stopped()
        self._status.state = "idle"
        self._save()

    def announce(self, proxy_port: int) -> None:
        """Record the port of the reverse proxy."""
        self._status.proxy_port = proxy_port
        self._save()

    def say(self, message: str) -> None:
        """Record an event."""
        self._status.events.append(event(message))
        print(f"{self._deployment.name}: {event(message)}", flush=True)
        self._save()

    def say_once(self, message: str) -> None:
        """Record an event unless it repeats the latest one."""
        if not self._status.events or not self._status.events[-1].endswith(message):
            self.say(message)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (BotoCoreError, ClientError) as problem:
            # An agent that can't connect to ECS leaves its tasks running.
            self.say_once(f"the local AWS does not answer as it should: {problem}")

    def _schedule(self) -> None:
        """Stop what the service doesn't want, then start what it lacks, as far as its percentages allow."""
        service = self._service = self._deployment.service()
        if service is None:
            self._rest("the service doesn't exist")
            return
        if service.desired_count == 0 and not any(self._must_wait(task) for task in self._tasks):
            self._rest("the service's desired count is 0")
            return
        current = [task for task in self._tasks if task.service.deployment == service.deployment]
        surplus = sorted(current, key=lambda task: not task.serving)[service.desired_count :]
        old = sorted((task for task in self._tasks if task not in current), key=lambda task: task.serving)
        least, most = service.running_bounds
        for task in [*surplus, *old]:
            serving = sum(each.serving for each in self._tasks)
            if task.serving and serving - 1 < min(least, service.desired_count):
                self._say_kept(task)
            elif not self._must_wait(task):
                self._stop(task, self._why_stopped(task, service, surplus))
        missing = service.desired_count - len([task for task in current if task in self._tasks])
        for _ in range(min(missing, most - len(self._tasks) - len(self._stopping))):
            self._start(service)

    def _why_stopped(self, task: Task, service: Service, surplus: list[Task]) -> str:
        if task in surplus:
            return f"the service's desired count is {service.desired_count}"
        return "a new one has replaced it" if task.serving and service.overlaps else "a new deployment replaces it"

    def _say_kept(self, task: Task) -> None:
        if not task.kept:
            task.kept = True
            self.say(f"task {task.id[:8]} keeps running until a new task has replaced it")

    def _start(self, service: Service) -> None:
        outcome = self._status.outcomes.get(service.deployment)
        if time.monotonic() < self._not_before or (outcome and outcome.problems and service.circuit_breaker):
            return
        self._status.state = "starting"
        self._status.deployment, self._status.definition = service.deployment, service.definition
        record = TaskRecord(uuid.uuid4().hex, service.deployment, service.definition, time.time())
        self._status.tasks.append(record)
        try:
            task = self._launcher.start(service, record.id)
        except TaskStartError as error:
            self._failed(service, record.id, error.problems, final=True)
            return
        self._tasks.append(task)
        self._status.task, self._status.port, record.address = task.id, task.port, task.address
        image, digest = task.definition.server.image, task.image_digest
        pulled = f"pulled as {digest[:19]}" if digest else "not pulled: it isn't in a registry of the local AWS"
        server = task.server.process
        process = f" as process {server.pid}" if server else ", and its server waits for other containers"
        self.say(
            f"task {task.id[:8]} of {_short(service.definition)} started{process}, "
            f"its image {image.rpartition('/')[2]} {pulled}"
        )
        self._status.not_run = [f"{name}: {reason}" for name, reason in task.not_run.items()]
        for each in self._status.not_run:
            self.say(f"the container isn't run: {each}")

    def _must_wait(self, task: Task) -> bool:
        """Whether ``task`` is protected; if it is, an event is recorded once."""
        if not self._deployment.is_protected(task.id):
            return False
        if not task.waits:
            task.waits = True
            self.say(
                f"task {task.id[:8]} is protected because operations are in progress: ECS stops it when they have ended"
            )
        return True

    def _watch(self, task: Task) -> None:
        health = Health.UNKNOWN
        try:
            health = task.tick()
            failure = task.failure()
        except TaskStartError as error:
            failure = Failure("one of its containers can't be started", error.problems)
        if failure:
            self._stop(task, failure.reason)
            self._failed(task.service, task.id, failure.problems)
        elif health is Health.HEALTHY:
            self._serve(task)

    def _serve(self, task: Task) -> None:
        """Count a healthy task, and keep it registered if the service has a load balancer."""
        if task.service.target_group and not self._is_target(task, task.service.target_group):
            return
        if not task.serving:
            task.serving = True
            self._failures.pop(task.service.deployment, None)

    def _settle(self) -> None:
        """Record the success of a deployment whose tasks are all healthy."""
        service = self._service
        if service is None or self._status.state not in {"starting", "stopping", "failed"}:
            return
        ready = [task for task in self._tasks if task.serving and task.service.deployment == service.deployment]
        if ready and len(ready) >= service.desired_count:
            self._status.state, self._status.last_good = "healthy", service.definition
            self._status.deployment, self._status.definition = service.deployment, service.definition
            self._status.task, self._status.port = ready[-1].id, ready[-1].port
            self._status.outcomes[service.deployment] = Outcome(service.definition)
            self._save()

    def _is_target(self, task: Task, target_group: str) -> bool:
        """Register ``task``, again too, because a local AWS that was killed restarts with an older state."""
        newer = self._tasks[self._tasks.index(task) + 1 :]
        if time.monotonic() < task.next_look or any(other.serving for other in newer):
            return task.serving
        task.next_look = time.monotonic() + _LOOK_SECONDS
        try:
            if not targets.is_registered(self._deployment, target_group, task.port):
                # The local AWS keeps one target for each address, so a new task replaces the old one.
                targets.register(self._deployment, target_group, task.port)
                self.say(f"task {task.id[:8]} is healthy and registered with the load balancer")
        except (BotoCoreError, ClientError) as problem:
            self.say_once(f"the task is healthy but can't be registered: {problem}")
            return False
        return True

    def _stop(self, task: Task, reason: str) -> None:
        self._tasks.remove(task)
        if not self._tasks:
            self._status.state = "stopping"
        self.say(f"stopping task {task.id[:8]}: {reason}")
        replaced = any(other.serving for other in self._tasks)
        self._stopping.append(_Stop(task, reason, self._stops.submit(self._end, task, replaced=replaced)))
        if self._status.task == task.id:
            self._status.task = self._status.port = None
        self._record_tasks()

    def _end(self, task: Task, *, replaced: bool) -> str:
        """Stop a task, whose target has already been deregistered if it is ``replaced``."""
        problem = ""
        if task.serving and (group := task.service.target_group):
            leave = targets.drain if replaced else targets.deregister
            try:
                leave(self._deployment, group, task.port)
            except (BotoCoreError, ClientError) as failure:
                # The target group may have been deleted with the stack; the process must be stopped anyway.
                problem = str(failure)
        task.stop()
        return problem

    def _stop_all(self, reason: str) -> None:
        for task in list(self._tasks):
            self._stop(task, reason)

    def _forget_stopped(self) -> None:
        for stop in [each for each in self._stopping if each.done.done()]:
            self._stopping.remove(stop)
            if problem := stop.done.result():
                self.say(f"the target could not be deregistered: {problem}")
            for record in self._status.tasks:
                if record.id == stop.task.id:
                    record.stopped_at, record.reason = record.stopped_at or time.time(), record.reason or stop.reason
            self.say(f"task {stop.task.id[:8]} has stopped")

    def _record_tasks(self) -> None:
        """Record what ECS shows of the tasks: their health and their containers."""
        tasks = {task.id: task for task in [*self._tasks, *(stop.task for stop in self._stopping)]}
        changed = False
        for record in self._status.tasks:
            if task := tasks.get(record.id):
                seen = (task in self._tasks, task.container_health.value, task.container_states())
                changed |= seen != (record.wanted, record.health, record.containers)
                record.wanted, record.health, record.containers = seen
        if changed:
            self._save()

    def _failed(self, service: Service, task: str, problems: list[str], *, final: bool = False) -> None:
        for record in self._status.tasks:
            if record.id == task:
                record.failed, record.reason = True, "; ".join(problems)
                if final:
                    record.stopped_at = time.time()
        for problem in problems:
            self.say(f"{_short(service.definition)} failed: {problem}")
        if self._service is None or self._service.deployment != service.deployment:
            return
        earlier = self._status.outcomes.get(service.deployment)
        count = self._failures[service.deployment] = self._failures.get(service.deployment, 0) + 1
        self._not_before = time.monotonic() + min(2.0 ** (count - 1), _LONGEST_PAUSE)
        self._status.state = "starting"
        threshold = min(max(_LEAST_FAILURES, math.ceil(service.desired_count / 2)), _MOST_FAILURES)
        if (earlier and not earlier.problems) or not (final or count >= threshold):
            return
        self._status.state = "failed"
        good = self._status.last_good
        roll_back = service.circuit_breaker and service.rollback and good is not None and good != service.definition
        self._status.outcomes[service.deployment] = Outcome(service.definition, problems, good if roll_back else None)
        if roll_back and good is not None:
            self._deployment.roll_back(good)
            self._not_before = 0.0
            self.say(f"the circuit breaker rolls back from {_short(service.definition)} to {_short(good)}")
            self._take_back(good)
        self._save()

    def _take_back(self, definition: str) -> None:
        """Make the old tasks of ``definition`` those of the rollback's deployment."""
        for task in self._tasks:
            if task.service.definition == definition:
                task.service = self._deployment.require_service()

    def _rest(self, why: str) -> None:
        self._stop_all(why)
        if self._status.state != "idle" and not self._stopping:
            self._status.state = "idle"
            self.say(f"nothing runs: {why}")

    def _save(self) -> None:
        self._file.write(self._status)


def _short(definition: str) -> str:
    return definition.rpartition("/")[2]
