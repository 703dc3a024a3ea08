"""What is checked for drift, and when: the JSON document that the task definition passes to the agent."""

import datetime
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """One request to the server: a project of a repository, or all of its projects."""

    repository: str
    """`owner/name`."""
    branch: str
    directory: str = ""
    """Empty: see `project`."""
    workspace: str = "default"
    project: str = ""
    """A project's name in the repository's configuration. Empty, without a directory: all projects in one request."""

    @property
    def request(self) -> dict[str, Any]:
        """The body of the request to the server."""
        body: dict[str, Any] = {"repository": self.repository, "ref": self.branch, "type": "Github"}
        if self.directory:
            body["paths"] = [{"directory": self.directory, "workspace": self.workspace}]
        elif self.project:
            body["projects"] = [self.project]
        return body

    def __str__(self) -> str:
        """The repository and, if it is limited, the directory and the workspace, or the project."""
        part = self.project or (f"{self.directory} ({self.workspace})" if self.directory else "")
        return f"{self.repository} {part}".rstrip()


@dataclass(frozen=True)
class Schedule:
    """Hours between the ends and starts of runs, or one time of each day in UTC; exactly one of them is set."""

    every_hours: int = 0
    daily_at: datetime.time | None = None

    def seconds_until_next(self, now: datetime.datetime) -> float:
        """Seconds from `now` (UTC, the end of a run or the agent's start) to the next run."""
        if self.daily_at is None:
            return self.every_hours * 3600.0
        next_run = datetime.datetime.combine(now.date(), self.daily_at, tzinfo=datetime.UTC)
        if next_run <= now:
            next_run += datetime.timedelta(days=1)
        return (next_run - now).total_seconds()


@dataclass(frozen=True)
class Configuration:
    """All of it."""

    targets: tuple[Target, ...]
    schedule: Schedule
    show_plan: bool
    """Whether an issue shows the plan's text, which can contain values of attributes."""

    @classmethod
    def parse(cls, text: str) -> "Configuration":
        """Read the document.

        Raises:
            ValueError, KeyError, TypeError: it isn't what the component writes.
        """
        document = json.loads(text)
        schedule = document["schedule"]
        daily_at = datetime.time.fromisoformat(schedule["dailyAt"]) if "dailyAt" in schedule else None
        return cls(
            targets=tuple(target for repository in document["repositories"] for target in _targets(repository)),
            schedule=Schedule(every_hours=int(schedule.get("everyHours", 0)), daily_at=daily_at),
            show_plan=bool(document["showPlan"]),
        )


def _targets(repository: Mapping[str, Any]) -> list[Target]:
    """One target for each project. The server holds the locks of all projects of a request until the request ends."""
    name, branch = repository["repository"], repository["branch"]
    if repository.get("all"):
        return [Target(name, branch)]
    targets = [
        Target(name, branch, directory=_directory(path), workspace=_workspace(path))
        for path in repository.get("directories", ())
    ]
    targets += [Target(name, branch, project=project) for project in repository.get("projects", ())]
    return list(dict.fromkeys(targets)) or [Target(name, branch)]


def _directory(path: str) -> str:
    """As the server names it, so that `vpc`, `vpc/` and `./vpc` are one project."""
    return posixpath.normpath(path.partition(":")[0])


def _workspace(path: str) -> str:
    return path.partition(":")[2] or "default"
