"""`make drift` against a local AWS, with the agent's real detection on the other side of the log group."""

import argparse
import datetime
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isolation import aws as agent_aws
from isolation.drift import run as drift_run
from isolation.drift.log import AgentLog
from preflight import drift
from sandbox.testbed.local_aws import REGION, LocalAws
from tests.preflight.account import Account
from tests.unit.isolation.drift_stand_ins import Atlantis, detection
from tests.unit.isolation.test_drift import LOCKED, STATE_LOCK

GROUP = "/ecs/atlantis-prod-agent"
SETTINGS = {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:a"]}


@pytest.fixture
def stack_file(account: Account, tmp_path: Path) -> Path:
    file = tmp_path / "Pulumi.prod.yaml"
    account.write_stack_file(file, **SETTINGS)
    return file


@pytest.fixture
def group(aws: LocalAws, stack_file: Path) -> Callable[..., None]:
    """The agent's log group; writes an event into it, as the container does."""
    assert stack_file.exists()
    client = aws.client("logs")
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="agent")

    def write(event: str, **fields: Any) -> None:
        entry = {"timestamp": int(time.time() * 1000), "message": json.dumps({"event": event, **fields})}
        client.put_log_events(logGroupName=GROUP, logStreamName="agent", logEvents=[entry])

    return write


def session() -> agent_aws.Session:
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    return agent_aws.Session("test", "test", "token", expires)


@pytest.fixture
def agent(group: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Atlantis]:
    """The agent's loop, and the server that it asks."""
    server = Atlantis(a={})
    monkeypatch.setattr(drift_run, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(drift_run, "write_event", group)
    monkeypatch.setattr(drift, "_POLL_SECONDS", 0.1)
    stop = threading.Event()
    running = detection(server, *"abcd", log=AgentLog(GROUP, REGION, session))
    thread = threading.Thread(target=running.run, args=(stop,), daemon=True)
    thread.start()
    yield server
    stop.set()
    thread.join(10)


def make_drift(stack_file: Path, *, as_json: bool = False, timeout: int = 1) -> int:
    return drift.run(argparse.Namespace(stack="prod", config_file=stack_file, json=as_json, timeout=timeout))


def test_the_table_has_each_project_with_its_result_and_says_what_to_do(
    agent: Atlantis, stack_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = "Plan: 0 to add, 1 to change, 0 to destroy."
    agent.projects |= {
        "a": {},
        "b": {"has_drift": True, "drift": {"to_change": 1, "summary": summary}},
        "c": {"error": LOCKED.format("#7")},
        "d": {"error": STATE_LOCK},
    }
    assert make_drift(stack_file) == 1
    said = capsys.readouterr()
    rows = [line.split("  ") for line in said.out.splitlines()]
    assert [row[0].strip() for row in rows[:5]] == ["project", *(f"o/r@release/1:{name}" for name in "bdca")]
    assert [row[1].strip() for row in rows[1:5]] == ["drifted", "failed", "locked", "clean"]
    assert "0 to add, 1 to change, 0 to destroy" in said.out
    assert "o/r@release/1:d: Error: Error acquiring the state lock" in said.out
    assert "`terraform force-unlock 6f1c9c1a-9d3c-5f0e-0b1a-1f6c2b3d4e5f`" in said.out
    assert said.out.splitlines()[-1].endswith(": 1 drifted, 1 failed, 1 locked, 1 clean")
    assert "The detection has begun" in said.err
    assert "o/r@release/1:b: drifted" in said.err


def test_a_second_request_has_its_own_results(
    agent: Atlantis, stack_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.projects |= {name: {"error": "exit status 1"} for name in "abcd"}
    assert make_drift(stack_file) == 1
    agent.projects |= {name: {} for name in "abcd"}
    capsys.readouterr()
    assert make_drift(stack_file, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [event["result"] for event in found[:-1]] == ["clean"] * 4
    assert (found[-1]["event"], found[-1]["good"]) == ("drift-run", 1)
    assert len(agent.asked) == 8


@pytest.mark.usefixtures("impatient")
def test_a_detection_that_runs_is_waited_for(
    group: Callable[..., None], stack_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("A detection is running"):
            group("drift-run", run="scheduled", good=1)

    monkeypatch.setattr(drift, "say", say)
    group("drift-began", run="scheduled", requests=[])
    group("drift-project", run="scheduled", repository="o/r", branch="main", project="x:default", result="clean")
    assert make_drift(stack_file) == 2
    assert "A detection is running; the requested one begins after it" in said
    # The wait for an answer begins when that detection has ended.
    assert "the agent hasn't answered within" in capsys.readouterr().err


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "_POLL_SECONDS", 0.2)
    monkeypatch.setattr(drift, "_UNANSWERED_SECONDS", 0.4)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([], "the agent hasn't answered within 0 seconds"),
        (
            ["drift-began", "drift-started"],
            "The task was replaced during the detection; the agent of the new one begins again",
        ),
    ],
)
def test_a_detection_without_an_end_says_what_to_look_at(
    group: Callable[..., None],
    stack_file: Path,
    capsys: pytest.CaptureFixture[str],
    events: list[str],
    message: str,
) -> None:
    sent = AgentLog(GROUP, REGION, session)

    def play() -> None:
        while not (requests := [event["request"] for _, event in sent.events(60, "drift-request")]):
            time.sleep(0.02)
        for event in events:
            group(event, run="r", requests=requests)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    assert make_drift(stack_file) == 2
    assert message in capsys.readouterr().err


def test_a_stack_without_drift_detection_says_what_to_set(
    account: Account, stack_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_drift(stack_file) == 2
    assert f"the log group {GROUP} doesn't exist" in capsys.readouterr().err
    account.write_stack_file(stack_file)
    assert make_drift(stack_file) == 2
    said = capsys.readouterr().err
    assert "atlantis:driftProjects isn't set for the stack prod" in said
    assert "in atlantis:driftProjects, with atlantis:terraformIsolation: tasks and the image of docker/" in said
