"""Runs detections on their schedule and on request, one project after the other, and logs the results as JSON."""

import contextlib
import datetime
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from isolation.aws import AwsError
from isolation.drift.configuration import Configuration, Target
from isolation.drift.discovery import Discovery
from isolation.drift.history import History
from isolation.drift.issues import Issues, RepositoryIssues
from isolation.drift.log import AgentLog, Event
from isolation.drift.results import ProjectResult, Result, results_of, state_lock
from isolation.drift.server import Server, ServerError
from isolation.github import GithubError
from isolation.parts import write_event

FIRST_AFTER = 300.0
"""Seconds from the agent's start to the first run of a schedule in hours, or to one that its predecessor didn't end: the server has
settled, and a deployment is over."""
BUSY_EVERY = 15.0
"""Seconds between two looks at a server that plans or applies."""
PATIENCE = 300.0
"""Seconds until a project fails because the server doesn't answer."""
LOOK_EVERY = 10.0
"""Seconds between two looks for requests of `make drift`. A region's quota is five calls a second."""
REQUESTS_LAST = 3600.0
"""Seconds for which a request is answered, also by the agent of the next task."""
AGE_EVERY = 600.0
"""Seconds between two log lines with the age of the last good run."""
_REMEMBERED = 7 * 24 * 3600.0
"""Seconds of the log that an agent reads at its start: more than the longest interval."""

_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError)
"""What an answer of another form than expected raises."""
_UNANSWERED = (GithubError, *_UNREADABLE)


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
        discovery: Discovery,
        log: AgentLog,
        busy_every: float = BUSY_EVERY,
        patience: float = PATIENCE,
    ) -> None:
        self._configuration, self._server, self._issues, self._protection = configuration, server, issues, protection
        self._discovery, self._log = discovery, log
        self._busy_every, self._patience = busy_every, patience
        self._history = History(time.time())
        self._age_at, self._unreadable = 0.0, ""

    def run(self, stop: threading.Event) -> None:
        """Detect on the schedule and on request until `stop` is set."""
        schedule = self._configuration.schedule
        with self._reading() as log:
            self._history.learn(log.events(_REMEMBERED))
        soon = schedule.daily_at is None or self._history.interrupted
        wait = FIRST_AFTER if soon else schedule.seconds_until_next(_now())
        write_event("drift-started", targets=len(self._configuration.targets))
        due = time.monotonic() + wait
        while not stop.is_set():
            requests = self._requests()
            if requests or time.monotonic() >= due:
                self.run_once(stop, requests)
                due = time.monotonic() + schedule.seconds_until_next(_now())
            self._write_age()
            stop.wait(min(LOOK_EVERY, max(0.0, due - time.monotonic())))

    def run_once(self, stop: threading.Event, requests: Sequence[str] = ()) -> list[ProjectResult]:
        """Detect once in every target, and report."""
        began, started, run = time.monotonic(), _now(), uuid.uuid4().hex
        write_event("drift-began", run=run, requests=list(requests))
        results: list[ProjectResult] = []
        for repository, targets in _by_repository(self._configuration.targets):
            issues = self._issues.of(repository)
            for result in (found for target in targets for found in self._detect_all(target, stop)):
                self._print(run, result, self._report(issues, result), started)
                results.append(result)
                self._write_age()
        if not stop.is_set():
            counts = {kind.value: sum(result.result is kind for result in results) for kind in Result}
            good = counts["failed"] == 0
            # Until here, the agent of the next task answers them.
            self._history.answered.update(requests)
            if good:
                self._history.last_good_run = time.time()
            write_event("drift-run", run=run, seconds=round(time.monotonic() - began, 1), good=int(good), **counts)
            self._write_age(now=True)
        return results

    def _detect_all(self, target: Target, stop: threading.Event) -> Iterator[ProjectResult]:
        """The results of one target: one request for each of its projects, if they are known."""
        try:
            targets = self._discovery.targets(target)
        except _UNANSWERED as problem:
            write_event(
                "drift-discovery-failed", repository=target.repository, branch=target.branch, error=_reason(problem)
            )
            targets = [target]
        for single in targets:
            if stop.is_set():
                return
            found = self._detect(single, stop)
            if single is target:
                self._discovery.learn(target, found)
            yield from found

    def _detect(self, target: Target, stop: threading.Event) -> list[ProjectResult]:
        """One request. The task is protected from before it until its locks are released."""
        try:
            self._wait_until_idle(stop)
            if stop.is_set():
                return []
            with self._protection.hold():
                self._release_abandoned_locks()
                body = target.request | ({"include_plan_output": True} if self._configuration.show_plan else {})
                status, answer = self._server.detect(body)
            return results_of(target, status, answer)
        except ServerError as problem:
            error = str(problem)
        except _UNREADABLE as problem:
            error = f"the server's answer can't be read: {problem!r}"
        return results_of(target, 0, {"error": error})

    def _wait_until_idle(self, stop: threading.Event) -> None:
        """Wait while the server applies: a detection would read a state that is about to change.

        Also wait for a server that doesn't answer: it starts again, or its task is being stopped, and this agent after it.
        """
        until = time.monotonic() + self._patience
        while not stop.is_set():
            try:
                if self._server.operations() == 0:
                    return
            except ServerError:
                if time.monotonic() >= until:
                    raise
            stop.wait(self._busy_every)

    def _release_abandoned_locks(self) -> None:
        """Release what a detection left that was ended; the server runs one detection at a time, and none runs now."""
        for lock in self._server.abandoned_locks():
            self._server.release(lock)
            write_event("drift-lock-released", lock=lock)

    def _report(self, issues: RepositoryIssues, result: ProjectResult) -> str:
        try:
            return issues.report(result)
        except _UNANSWERED as problem:
            write_event("drift-issue-failed", repository=result.repository, project=result.key, error=_reason(problem))
            return ""

    def _requests(self) -> list[str]:
        """The requests of `make drift` that no run has answered."""
        found: list[Event] = []
        with self._reading() as log:
            found += log.events(REQUESTS_LAST, "drift-request")
        asked = (event.get("request") for _, event in found)
        return [request for request in asked if isinstance(request, str) and request not in self._history.answered]

    @contextlib.contextmanager
    def _reading(self) -> Iterator[AgentLog]:
        """The log to read. Without it, detections continue; the reason is logged once."""
        try:
            yield self._log
            self._unreadable = ""
        except AwsError as problem:
            if self._unreadable != str(problem):
                write_event("drift-log-unreadable", error=str(problem))
            self._unreadable = str(problem)

    def _write_age(self, *, now: bool = False) -> None:
        if now or time.monotonic() >= self._age_at:
            self._age_at = time.monotonic() + AGE_EVERY
            last = self._history.last_good_run
            write_event("drift-age", hours=_hours_since(last), lastGood=_iso(last))

    def _print(self, run: str, result: ProjectResult, issue: str, started: datetime.datetime) -> None:
        standing = self._history.note(result, time.time())
        place = {"repository": result.repository, "branch": result.branch, "project": result.key}
        write_event(
            "drift-project",
            run=run,
            **place,
            result=result.result.value,
            drifted=int(result.result is Result.DRIFTED),
            failed=int(result.result is Result.FAILED),
            changes=result.changes,
            summary=result.summary,
            error=result.error[:2000],
            issue=issue,
            since=_iso(standing.since),
            lastGood=_iso(standing.last_good),
            hours=_hours_since(standing.last_good),
        )
        lock = state_lock(result.error)
        created = _time(lock.created) if lock else None
        if lock and created and created < started:
            command = f"terraform force-unlock {lock.id}"
            write_event("drift-state-locked", run=run, **place, since=lock.created, path=lock.path, command=command)


def _reason(problem: Exception) -> str:
    return str(problem) if isinstance(problem, GithubError) else f"GitHub's answer can't be read: {problem!r}"


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


def _iso(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")


def _hours_since(seconds: float) -> float:
    return round(max(0.0, time.time() - seconds) / 3600, 2)
