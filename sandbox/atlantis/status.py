"""What the task agent says of itself, in a file that other commands read while it runs."""

import datetime
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from sandbox.files import read_json, write_json

__all__ = ["Outcome", "Status", "StatusFile", "event"]

_KEPT = 50


@dataclass(frozen=True)
class Outcome:
    """How a deployment of the service ended: ``problems`` is empty where its task became healthy."""

    definition: str
    problems: list[str] = field(default_factory=list)
    rolled_back_to: str | None = None


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
    events: list[str] = field(default_factory=list)


class StatusFile:
    """The status of the task of one service, ``<state>/task/<service>.json``."""

    def __init__(self, state: Path, service: str) -> None:
        self._path = state / "task" / f"{service}.json"

    def read(self) -> Status:
        """The status last written; an empty one where no agent ran yet."""
        known = read_json(self._path)
        if known is None:
            return Status()
        outcomes = {key: Outcome(**value) for key, value in known.pop("outcomes").items()}
        # A status that another version wrote may have fields that this one doesn't know.
        names = {field.name for field in fields(Status)}
        return Status(**{key: value for key, value in known.items() if key in names}, outcomes=outcomes)

    def write(self, status: Status) -> None:
        """Replace the status; of outcomes and events the latest are kept."""
        status.events = status.events[-_KEPT:]
        status.outcomes = dict(list(status.outcomes.items())[-_KEPT:])
        write_json(self._path, asdict(status))

    def remove(self) -> None:
        """Forget everything, the last definition that worked included."""
        self._path.unlink(missing_ok=True)


def event(message: str) -> str:
    """``message`` with the time before it."""
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ} {message}"
