"""The four results of a project, from the server's answer."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isolation.drift.configuration import Target

_LOCKED = re.compile(r"locked by an unapplied plan from pull #?(-?\d+)")
# Terraform prints its lock's fields one a line, each possibly behind the frame of an error.
_LOCK_FIELD = re.compile(r"^\W*(ID|Path|Created):\s+(\S.*?)\s*$", re.MULTILINE)
_COUNTS = ("to_add", "to_change", "to_destroy", "to_import", "to_forget")


class Result(enum.StrEnum):
    """What a detection says of one project. A failed or locked project is neither drifted nor clean."""

    DRIFTED = "drifted"
    CLEAN = "clean"
    LOCKED = "locked"
    FAILED = "failed"


@dataclass(frozen=True)
class StateLock:
    """A lock of Terraform's state that somebody holds."""

    id: str
    path: str
    created: str


@dataclass(frozen=True)
class ProjectResult:
    """One project of one run."""

    repository: str
    branch: str
    directory: str
    workspace: str
    project: str
    result: Result
    summary: str = ""
    """The counts of changes, as Terraform prints them; empty unless drifted."""
    changes: int = 0
    """The number of resources that differ."""
    error: str = ""
    plan: str = ""
    """The plan's text, if it was asked for."""

    @property
    def key(self) -> str:
        """What identifies the project on its branch."""
        return self.project or f"{self.directory}:{self.workspace}"


def results_of(target: Target, status: int, answer: Mapping[str, Any]) -> list[ProjectResult]:
    """The results of one request; at least one.

    Args:
        target: what was asked for.
        status: the HTTP status.
        answer: the body.
    """
    projects = _projects(answer) if status in (200, 207) else None
    if projects:
        return [_result(target, project) for project in projects]
    if projects is not None:
        error = f"the server found no project of {target} on the branch {target.branch}"
    else:
        error = f"the server answered {status}: {_message(answer)}"
    return [_failed(target, error)]


def _failed(target: Target, error: str) -> ProjectResult:
    return ProjectResult(
        repository=target.repository,
        branch=target.branch,
        directory=target.directory,
        workspace=target.workspace,
        project=target.project,
        result=_failure(error),
        error=error,
    )


def _projects(answer: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    try:
        return list(answer["data"]["projects"] or ())
    except (KeyError, TypeError):
        return None


def _result(target: Target, project: Mapping[str, Any]) -> ProjectResult:
    error = str(project.get("error") or "")
    drift = project.get("drift") or {}
    # `has_drift` is false next to an error, so the error decides first.
    result = _failure(error) if error else Result.DRIFTED if project.get("has_drift") else Result.CLEAN
    return ProjectResult(
        repository=target.repository,
        branch=target.branch,
        directory=str(project.get("directory") or target.directory),
        workspace=str(project.get("workspace") or target.workspace),
        project=str(project.get("project_name") or ""),
        result=result,
        summary=str(drift.get("summary") or "") if result is Result.DRIFTED else "",
        changes=sum(int(drift.get(count) or 0) for count in _COUNTS) if result is Result.DRIFTED else 0,
        error=error,
        plan=str(project.get("plan_output") or "") if result is Result.DRIFTED else "",
    )


def _failure(error: str) -> Result:
    """Locked by a pull request's plan, or failed. A negative number is a detection that was ended, so that is no pull request."""
    found = _LOCKED.search(error)
    return Result.LOCKED if found and int(found[1]) > 0 else Result.FAILED


def _message(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("message") if isinstance(error, Mapping) else error or "no reason")


def state_lock(error: str) -> StateLock | None:
    """The lock of the state that Terraform couldn't acquire, from its message; None for another error."""
    if "Error acquiring the state lock" not in error:
        return None
    fields = dict(_LOCK_FIELD.findall(error))
    return (
        StateLock(fields.get("ID", ""), fields.get("Path", ""), fields.get("Created", "")) if "ID" in fields else None
    )
