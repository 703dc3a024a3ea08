"""The task agent's status, in a file that other commands read while the agent is running."""

import datetime
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sandbox.testbed.files import read_json, write_json

RECORDS = "task"
"""The folder of the status files, in the state folder."""
EXPECTED = "expected"
"""The file in that folder that exists while a command waits for the service, in order to run its task."""
_KEPT = 50


def agent_name(service: str) -> str:
    """Return the recorded name of the agent process for ``service``."""
    return f"task-agent-{service}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a service deployment: ``problems`` is empty if its task became healthy."""

    definition: str
    problems: list[str] = field(default_factory=list)
    rolled_back_to: str | None = None


@dataclass
class TaskRecord:
    """A task, as ECS shows it for an hour after it has stopped; times in seconds since the epoch.

    ``reason`` is ECS' ``stoppedReason``; ``failed`` states whether the circuit breaker counts the task as failed; ``wanted`` whether
    its desired status is RUNNING. ``address`` is its private address, and ``containers`` what ECS shows of each by its name.
    """

    id: str
    deployment: str
    definition: str
    created_at: float
    stopped_at: float | None = None
    reason: str = ""
    failed: bool = False
    wanted: bool = True
    address: str = ""
    health: str = "UNKNOWN"
    containers: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Status:
    """The status of one service, which the process ``agent`` runs.

    ``state`` is one of ``starting``, ``healthy``, ``stopping``, ``idle`` and ``failed``.
    ``not_run`` has the containers of the task that the sandbox can't run, each with the reason.
    """

    state: str = "starting"
    deployment: str | None = None
    definition: str | None = None
    task: str | None = None
    port: int | None = None
    proxy_port: int | None = None
    last_good: str | None = None
    endpoint: str | None = None
    agent: str = ""
    not_run: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    tasks: list[TaskRecord] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


class StatusFile:
    """The status of the task of one service, ``<state>/task/<service>.json``."""

    def __init__(self, state: Path, service: str) -> None:
        self._path = state / RECORDS / f"{service}.json"

    @property
    def exists(self) -> bool:
        """Whether an agent has run."""
        return self._path.exists()

    def read(self) -> Status:
        """Return the status that was last written; an empty one if no agent has run yet."""
        known = read_json(self._path)
        if known is None:
            return Status()
        outcomes = {key: Outcome(**value) for key, value in known.pop("outcomes").items()}
        tasks = [TaskRecord(**_known(TaskRecord, task)) for task in known.pop("tasks", [])]
        return Status(**_known(Status, known), outcomes=outcomes, tasks=tasks)

    def write(self, status: Status) -> None:
        """Replace the status; only the latest tasks, outcomes and events are kept."""
        status.events, status.tasks = status.events[-_KEPT:], status.tasks[-_KEPT:]
        status.outcomes = dict(list(status.outcomes.items())[-_KEPT:])
        write_json(self._path, asdict(status))

    def remove(self) -> None:
        """Delete the status, including the last task definition that worked."""
        self._path.unlink(missing_ok=True)


def _known(of: type[Status] | type[TaskRecord], values: dict[str, Any]) -> dict[str, Any]:
    """The fields that this version has: a status may be that of another one."""
    names = {field.name for field in fields(of)}
    return {key: value for key, value in values.items() if key in names}


def event(message: str) -> str:
    """Return ``message`` with the current time in front."""
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} {message}"
