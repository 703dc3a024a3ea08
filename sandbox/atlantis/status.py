"""What the task agent says of itself, in a file that other commands read while it runs."""

import datetime
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from sandbox.files import read_json, write_json

__all__ = ["EXPECTED", "RECORDS", "Outcome", "Status", "StatusFile", "TaskRecord", "agent_name", "event"]

RECORDS = "task"
"""The folder of the status files, in the state folder."""
EXPECTED = "expected"
"""The file in that folder that stands while an agent is going to run whatever service comes."""
_KEPT = 50


def agent_name(service: str) -> str:
    """What the process is recorded as that runs the service's task."""
    return f"task-agent-{service}"


@dataclass(frozen=True)
class Outcome:
    """How a deployment of the service ended: ``problems`` is empty where its task became healthy."""

    definition: str
    problems: list[str] = field(default_factory=list)
    rolled_back_to: str | None = None


@dataclass
class TaskRecord:
    """A task, as ECS shows it for an hour after its end; times in seconds since the epoch.

    ``reason`` is ECS' ``stoppedReason``; ``failed`` says whether the circuit breaker counts the end.
    """

    id: str
    deployment: str
    definition: str
    created_at: float
    stopped_at: float | None = None
    reason: str = ""
    failed: bool = False


@dataclass
class Status:
    """The agent's view. ``state`` is one of ``starting``, ``healthy``, ``stopping``, ``idle`` and ``failed``."""

    state: str = "starting"
    deployment: str | None = None
    definition: str | None = None
    task: str | None = None
    port: int | None = None
    proxy_port: int | None = None
    last_good: str | None = None
    endpoint: str | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    tasks: list[TaskRecord] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


class StatusFile:
    """The status of the task of one service, ``<state>/task/<service>.json``."""

    def __init__(self, state: Path, service: str) -> None:
        self._path = state / RECORDS / f"{service}.json"

    def read(self) -> Status:
        """The status last written; an empty one where no agent ran yet."""
        known = read_json(self._path)
        if known is None:
            return Status()
        outcomes = {key: Outcome(**value) for key, value in known.pop("outcomes").items()}
        tasks = [TaskRecord(**task) for task in known.pop("tasks", [])]
        # A status that another version wrote may have fields that this one doesn't know.
        names = {field.name for field in fields(Status)}
        return Status(**{key: value for key, value in known.items() if key in names}, outcomes=outcomes, tasks=tasks)

    def write(self, status: Status) -> None:
        """Replace the status; of tasks, outcomes and events the latest are kept."""
        status.events, status.tasks = status.events[-_KEPT:], status.tasks[-_KEPT:]
        status.outcomes = dict(list(status.outcomes.items())[-_KEPT:])
        write_json(self._path, asdict(status))

    def remove(self) -> None:
        """Forget everything, the last definition that worked included."""
        self._path.unlink(missing_ok=True)


def event(message: str) -> str:
    """``message`` with the time before it."""
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} {message}"
