"""Runs detections on their schedule, one project after the other, and writes the results to the agent's log as JSON."""

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from isolation.drift.configuration import Configuration, Target
from isolation.drift.issues import IssueError, Issues
from isolation.drift.results import ProjectResult, Result, results_of, state_lock
from isolation.drift.server import Server, ServerError

__all__ = ["DriftDetection", "Protection"]

FIRST_AFTER = 300.0
"""Seconds from the agent's start to the first run of a schedule in hours: the server has settled, and a deployment is over."""
BUSY_EVERY = 15.0
"""Seconds between two looks at a server that plans or applies."""


class Protection(Protocol):
    """What keeps ECS from stopping the task: the server's own operations don't include detections."""

    def hold(self) -> AbstractContextManager[None]:
        """Protect the task until the context ends."""
        ...


class DriftDetection:
    """The detections of one server."""

    def __init__(
        self,
        configuration: Configuration,
        server: Server,
        issues: Issues,
        protection: Protection,
        *,
        busy_every: float = BUSY_EVERY,
    ) -> None:
        self._configuration, self._server, self._issues, self._protection = configuration, server, issues, protection
        self._busy_every = busy_every

    def run(self, stop: threading.Event) -> None:
        """Detect on the schedule until `stop` is set."""
        schedule = self._configuration.schedule
        wait = FIRST_AFTER if schedule.daily_at is None else schedule.seconds_until_next(_now())
        while not stop.wait(wait):
            self.run_once(stop)
            wait = schedule.seconds_until_next(_now())

    def run_once(self, stop: threading.Event) -> list[ProjectResult]:
        """Detect once in every target, and report."""
        began, started = time.monotonic(), _now()
        results: list[ProjectResult] = []
        for repository, targets in _by_repository(self._configuration.targets):
            found = [result for target in targets if not stop.is_set() for result in self._detect(target, stop)]
            issues = self._report(repository, found)
            for result in found:
                self._print(result, issues.get((result.branch, result.key), ""), started)
            results += found
        if not stop.is_set():
            counts = {kind.value: sum(result.result is kind for result in results) for kind in Result}
            _write("drift-run", seconds=round(time.monotonic() - began, 1), good=int(counts["failed"] == 0), **counts)
        return results

    def _detect(self, target: Target, stop: threading.Event) -> list[ProjectResult]:
        """One request. The task is protected from before it until its locks are released."""
        try:
            self._wait_until_idle(stop)
            with self._protection.hold():
                self._release_abandoned_locks()
                body = target.request | ({"include_plan_output": True} if self._configuration.show_plan else {})
                status, answer = self._server.detect(body)
        except ServerError as problem:
            status, answer = 0, {"error": str(problem)}
        return results_of(target, status, answer)

    def _wait_until_idle(self, stop: threading.Event) -> None:
        """Wait while the server applies: a detection would read a state that is about to change."""
        while self._server.operations() > 0 and not stop.wait(self._busy_every):
            pass

    def _release_abandoned_locks(self) -> None:
        """Release what a detection left that was ended; the server runs one detection at a time, and none runs now."""
        for lock in self._server.abandoned_locks():
            self._server.release(lock)
            _write("drift-lock-released", lock=lock)

    def _report(self, repository: str, results: list[ProjectResult]) -> dict[tuple[str, str], str]:
        try:
            return self._issues.report(repository, results)
        except IssueError as problem:
            _write("drift-issue-failed", repository=repository, error=str(problem))
            return {}

    def _print(self, result: ProjectResult, issue: str, started: datetime.datetime) -> None:
        _write(
            "drift-project",
            repository=result.repository,
            branch=result.branch,
            project=result.key,
            result=result.result.value,
            drifted=int(result.result is Result.DRIFTED),
            failed=int(result.result is Result.FAILED),
            changes=result.changes,
            summary=result.summary,
            error=result.error[:2000],
            issue=issue,
        )
        lock = state_lock(result.error)
        created = _time(lock.created) if lock else None
        if lock and created and created < started:
            _write(
                "drift-state-locked",
                repository=result.repository,
                branch=result.branch,
                project=result.key,
                since=lock.created,
                path=lock.path,
                command=f"terraform force-unlock {lock.id}",
            )


def _by_repository(targets: Iterable[Target]) -> Iterable[tuple[str, list[Target]]]:
    grouped: dict[str, list[Target]] = {}
    for target in targets:
        grouped.setdefault(target.repository, []).append(target)
    return grouped.items()


def _time(text: str) -> datetime.datetime | None:
    """The time in Terraform's form, `2026-11-28 05:12:11.123456789 +0000 UTC`."""
    with contextlib.suppress(ValueError):
        return datetime.datetime.fromisoformat(f"{text[:19]}+00:00")
    return None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _write(event: str, **fields: object) -> None:
    """One line of JSON, for the metric filters of the agent's log group and for `make drift`."""
    print(json.dumps({"event": event, **fields}), flush=True)
