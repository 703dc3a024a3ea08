"""A server, a GitHub and a log for runs of drift detection, each as small as the run needs it."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from isolation.aws import AwsError
from isolation.drift.configuration import Configuration
from isolation.drift.discovery import Discovery
from isolation.drift.issues import Issues
from isolation.drift.log import AgentLog, Event
from isolation.drift.run import DriftDetection
from isolation.drift.server import Server, ServerError
from isolation.github import GithubError, Rest

REPOSITORY = "o/r"


class Atlantis(Server):
    """Answers with each directory's result; an empty request finds all of them."""

    def __init__(self, **projects: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1", "")
        self.projects = dict(projects)
        self.asked: list[list[str]] = []
        self.locks: list[str] = []
        self.stopped = False

    def operations(self) -> int:
        if self.stopped:
            raise ServerError("the server doesn't answer: refused")
        return 0

    def abandoned_locks(self) -> list[str]:
        return list(self.locks)

    def release(self, lock: str) -> None:
        self.locks.remove(lock)

    def detect(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        assert self.locks == []
        directories = [path["directory"] for path in body.get("paths", ())]
        self.asked.append(directories)
        found = [
            {"directory": name, "workspace": "default", "project_name": "", **self.projects[name]}
            for name in directories or self.projects
        ]
        return 207, {"data": {"projects": found}}


class Protection:
    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        yield


class Log(AgentLog):
    """The log group in memory."""

    def __init__(self) -> None:
        super().__init__("", "eu-west-1", lambda: pytest.fail("not asked"))
        self.written: list[Event] = []
        self.problem = ""

    def events(self, seconds: float, pattern: str = "drift-*") -> Iterator[Event]:
        if self.problem:
            raise AwsError(self.problem)
        start, prefix = time.time() - seconds, pattern.removesuffix("*")
        yield from ((at, event) for at, event in self.written if at >= start and str(event["event"]).startswith(prefix))

    def add(self, seconds_ago: float, event: str, **fields: Any) -> None:
        self.written.append((time.time() - seconds_ago, {"event": event, **fields}))


class GitHub(Rest):
    """Branches and trees; issues are refused, as without a token."""

    def __init__(self, *paths: str) -> None:
        super().__init__("", lambda: "", "")
        self.files = dict.fromkeys(paths, "1")
        self.truncated, self.refused = False, False

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        assert method == "GET", (path, body)
        if self.refused or "/issues" in path:
            raise GithubError("GitHub gives no token (401)")
        if "/branches/" in path:
            assert path == f"/repos/{REPOSITORY}/branches/release%2F1"
            return {"commit": {"sha": f"commit-{len(self.files)}"}}
        tree = [{"path": name, "type": "blob", "sha": sha} for name, sha in self.files.items()]
        return {"tree": tree, "truncated": self.truncated}


def detection(
    server: Server, *directories: str, github: Rest | None = None, log: AgentLog | None = None
) -> DriftDetection:
    repository = {"repository": REPOSITORY, "branch": "release/1", "directories": directories}
    document = {"schedule": {"everyHours": 1}, "showPlan": False, "repositories": [repository]}
    github = github or GitHub()
    return DriftDetection(
        Configuration.parse(json.dumps(document)),
        server,
        Issues(github, "https://atlantis.example.com"),
        Protection(),
        discovery=Discovery(github),
        log=log or Log(),
        busy_every=0.02,
        patience=0.1,
    )


def printed(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if line["event"] == event]
