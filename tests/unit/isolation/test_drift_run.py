"""Runs of drift detection: on schedule and on request, what a restart keeps, and what must not end the agent."""

import dataclasses
import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from isolation.drift import run as drift_run
from isolation.drift.configuration import Schedule, Target
from isolation.drift.discovery import Discovery
from isolation.drift.results import ProjectResult, Result
from isolation.drift.run import DriftDetection
from tests.unit.isolation.drift_stand_ins import REPOSITORY, Atlantis, GitHub, Log, detection, printed
from tests.unit.isolation.test_drift import STATE_LOCK


def started(detection: DriftDetection, monkeypatch: pytest.MonkeyPatch, seconds: float = 0.5) -> None:
    """Run the agent's loop for a moment."""
    monkeypatch.setattr(drift_run, "LOOK_EVERY", 0.02)
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    detection.run(stop)


def test_a_request_is_answered_once_and_names_its_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, log = Atlantis(a={}), Log()
    log.add(30, "drift-request", request="first")
    log.add(10, "drift-request", request="second")
    log.add(7200, "drift-request", request="of an hour ago")
    log.add(60, "drift-request", request="answered before the restart")
    log.add(20, "drift-request", request=7)
    log.add(59, "drift-began", run="0", requests=["answered before the restart"])
    log.add(58, "drift-run", run="0", good=1)
    log.add(5, "drift-began", run="1", requests=["second"])
    started(detection(server, "a", log=log), monkeypatch)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (began,) = [line for line in lines if line["event"] == "drift-began"]
    assert began["requests"] == ["first", "second"]
    assert [line["run"] for line in lines if line["event"] in ("drift-project", "drift-run")] == [began["run"]] * 2
    assert server.asked == [["a"]]


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_that_a_replaced_task_didnt_end_is_repeated_before_the_next_day(
    monkeypatch: pytest.MonkeyPatch, *, ended: bool
) -> None:
    server, log = Atlantis(a={}), Log()
    log.add(100, "drift-began", run="0", requests=[])
    if ended:
        log.add(90, "drift-run", run="0", good=0)
    monkeypatch.setattr(drift_run, "FIRST_AFTER", 0.0)
    tested = detection(server, "a", log=log)
    soon = drift_run.datetime.datetime.now(drift_run.datetime.UTC) - drift_run.datetime.timedelta(hours=1)
    daily = dataclasses.replace(tested._configuration, schedule=Schedule(daily_at=soon.time()))
    tested._configuration = daily
    started(tested, monkeypatch)
    assert server.asked == ([] if ended else [["a"]])


def test_nothing_is_detected_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Atlantis(a={})
    started(detection(server, "a"), monkeypatch, seconds=0.1)
    assert server.asked == []
    monkeypatch.setattr(drift_run, "FIRST_AFTER", 0.05)
    started(detection(server, "a"), monkeypatch, seconds=0.3)
    assert server.asked == [["a"]]


def test_a_log_that_cant_be_read_is_reported_once_and_stops_no_detection(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log, server = Log(), Atlantis(a={})
    log.problem = "AccessDeniedException: no"
    monkeypatch.setattr(drift_run, "FIRST_AFTER", 0.05)
    started(detection(server, "a", log=log), monkeypatch)
    assert printed(capsys, "drift-log-unreadable") == [{"event": "drift-log-unreadable", "error": log.problem}]
    assert server.asked == [["a"]]


def test_times_survive_a_restart_and_a_result_that_changes_begins_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log()
    place = {"repository": REPOSITORY, "branch": "release/1"}
    then = "2026-11-20T00:00:00+00:00"
    for project, result in (("a:default", "drifted"), ("b:default", "clean"), ("c:default", "failed")):
        log.add(3600, "drift-project", **place, project=project, result=result, since=then, lastGood=then)
    log.add(1800, "drift-age", hours=1, lastGood=then)
    log.add(1700, "drift-project", since=1)
    server = Atlantis(a={"has_drift": True}, b={"error": "exit status 1"}, c={"error": "exit status 1"})
    monkeypatch.setattr(drift_run, "FIRST_AFTER", 0.0)
    started(detection(server, "a", "b", "c", log=log), monkeypatch)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    a, b, c = (line for line in lines if line["event"] == "drift-project")
    assert (a["since"], a["hours"]) == (then, 0)
    assert a["lastGood"] > then
    assert b["since"] > then
    assert (b["lastGood"], c["since"], c["lastGood"]) == (then, then, then)
    assert c["hours"] > 24
    ages = [line for line in lines if line["event"] == "drift-age"]
    assert {line["lastGood"] for line in ages} == {then}


def test_a_run_without_failures_resets_the_age(capsys: pytest.CaptureFixture[str]) -> None:
    locked = "This project is currently locked by an unapplied plan from pull #3"
    server = Atlantis(a={"error": locked})
    tested = detection(server, "a")
    tested._history.last_good_run = 0
    tested.run_once(threading.Event())
    assert printed(capsys, "drift-age")[-1]["hours"] == 0


def test_a_server_or_a_github_that_doesnt_answer_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    server, github = Atlantis(a={"has_drift": True}), GitHub()
    tested = detection(server, "a", github=github)
    assert [result.result for result in tested.run_once(threading.Event())] == [Result.DRIFTED]
    assert "no token" in printed(capsys, "drift-issue-failed")[0]["error"]
    server.stopped = True
    (result,) = tested.run_once(threading.Event())
    assert (result.result, result.error) == (
        Result.FAILED,
        "the server answered 0: the server doesn't answer: refused",
    )


def test_answers_of_another_form_are_failures_of_one_project(capsys: pytest.CaptureFixture[str]) -> None:
    class Odd(Atlantis):
        def detect(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
            status, answer = super().detect(body)
            return (status, answer) if self.asked[-1] == ["b"] else (200, {"data": {"projects": [7]}})

    class OddGitHub(GitHub):
        def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
            return [7] if "/issues" in path else super().call(method, path, body)

    results = detection(Odd(a={}, b={"has_drift": True}), "a", "b", github=OddGitHub()).run_once(threading.Event())
    assert [result.result for result in results] == [Result.FAILED, Result.DRIFTED]
    assert "the server's answer can't be read" in results[0].error
    assert "GitHub's answer can't be read" in printed(capsys, "drift-issue-failed")[0]["error"]


def test_a_run_whose_server_is_stopped_ends_with_its_task_and_fails_no_project(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, stop = Atlantis(a={}), threading.Event()
    server.stopped = True
    tested = detection(server, "a", "b")
    tested._patience = 30
    threading.Timer(0.2, stop.set).start()
    assert tested.run_once(stop) == []
    assert printed(capsys, "drift-run") == []


def test_a_lock_that_a_killed_detection_left_is_released_before_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    server = Atlantis(a={})
    server.locks = ["o/r/a/default"]
    detection(server, "a").run_once(threading.Event())
    assert printed(capsys, "drift-lock-released") == [{"event": "drift-lock-released", "lock": "o/r/a/default"}]


@pytest.mark.parametrize(("created", "reported"), [("2026-11-28 03:12:11", True), ("2099-01-01 00:00:00", False)])
def test_a_states_lock_that_is_older_than_the_run_is_reported_with_the_command_that_releases_it(
    capsys: pytest.CaptureFixture[str], created: str, reported: bool
) -> None:
    detection(Atlantis(a={"error": STATE_LOCK.replace("2026-11-28 03:12:11", created)}), "a").run_once(
        threading.Event()
    )
    found = [(line["project"], line["command"]) for line in printed(capsys, "drift-state-locked")]
    command = "terraform force-unlock 6f1c9c1a-9d3c-5f0e-0b1a-1f6c2b3d4e5f"
    assert found == ([("a:default", command)] if reported else [])


def test_projects_that_arent_named_have_a_request_each_once_they_are_known() -> None:
    server, github = Atlantis(a={}, b={}), GitHub("a/main.tf", "b/main.tf", "README.md", "atlantis.yaml")
    tested = detection(server, github=github)

    def asked() -> list[list[str]]:
        server.asked.clear()
        tested.run_once(threading.Event())
        return server.asked

    assert asked() == [[]]
    assert asked() == [["a"], ["b"]]
    github.files["README.md"] = github.files["a/main.tf"] = "2"
    assert asked() == [["a"], ["b"]]
    server.projects["c"] = {}
    github.files["c/main.tf"] = "1"
    assert asked() == [[]]
    assert asked() == [["a"], ["b"], ["c"]]
    github.files["atlantis.yaml"] = "2"
    assert asked() == [[]]


def test_without_githubs_files_all_projects_are_in_one_request(capsys: pytest.CaptureFixture[str]) -> None:
    server, github = Atlantis(a={}, b={}), GitHub("a/main.tf")
    tested = detection(server, github=github)
    tested.run_once(threading.Event())
    github.refused = True
    tested.run_once(threading.Event())
    assert server.asked == [[], []]
    assert printed(capsys, "drift-discovery-failed")[0]["branch"] == "release/1"


def test_a_tree_that_github_cuts_off_is_known_until_the_next_commit() -> None:
    github = GitHub("a/main.tf")
    github.truncated = True
    discovery, everything = Discovery(github), Target(REPOSITORY, "release/1")
    assert discovery.targets(everything) == [everything]
    shop = ProjectResult(REPOSITORY, "release/1", "shop", "default", "shop", Result.CLEAN)
    discovery.learn(everything, [shop])
    assert discovery.targets(everything) == [Target(REPOSITORY, "release/1", project="shop")]
    github.files["new.txt"] = "1"
    assert discovery.targets(everything) == [everything]
