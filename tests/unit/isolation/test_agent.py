"""The agents: a worker's gives sessions, the server's finds workers in ECS; both protect their tasks. Against real servers."""

import contextlib
import datetime
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from components.compute import task_protection as shell
from components.monitoring import log_metrics
from isolation import parts, protocol, session, task_protection
from isolation.protocol import Channel
from tests.unit.isolation.answering import Answering
from tests.unit.isolation.containers import CHECKOUT, PROGRAMS, eventually


def task(number: int, *states: str) -> dict[str, Any]:
    """A task as DescribeTasks shows it."""
    details = [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": f"10.0.0.{number}"}]
    return {
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/atlantis/{number}",
        **dict(zip(("lastStatus", "desiredStatus", "healthStatus"), states, strict=True)),
        "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
    }


class Surroundings(Answering):
    """What the agents speak to: the server's /status, the ECS agent, the task role's credentials, STS and ECS."""

    def __init__(self) -> None:
        self.operations: int | None = 0
        self.protection: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.assumed: list[dict[str, str]] = []
        self.authorization = ""
        self.denied = False
        self.looks = 0
        self.tasks: dict[str, list[dict[str, Any]]] = {"of-plans": [], "of-applies": []}
        self.broken = ""
        super().__init__()

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:
        expires = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if path == "/status":
            self.looks += 1
            # As Atlantis writes it, indented.
            known = {"shutting_down": False, "in_progress_operations": self.operations, "version": "0.47.1"}
            return 503 if self.operations is None else 200, json.dumps(known, indent=2).encode()
        if path == "/v2/credentials/secret":
            role = {"AccessKeyId": "AKIATASK", "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
            return 200, json.dumps(role).encode()
        if method == "PUT":
            assert path == "/api/0123/task-protection/v1/state"
            self.protection.append(json.loads(body))
            enabled = {"protection": {"ProtectionEnabled": self.protection[-1]["ProtectionEnabled"]}}
            return 200, json.dumps(self.refusal or enabled).encode()
        if operation := headers["X-Amz-Target"]:
            return 200, self._answer_of_ecs(operation.rpartition(".")[2], json.loads(body))
        self.authorization = headers["Authorization"]
        if self.denied:
            error = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
            return 403, error
        self.assumed.append(dict(urllib.parse.parse_qsl(body.decode())))
        session = (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
            f"<AccessKeyId>ASIA{len(self.assumed)}</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{expires}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        return 200, session.encode()

    def _answer_of_ecs(self, operation: str, asked: dict[str, Any]) -> bytes:
        assert asked["cluster"] == "atlantis"
        if self.broken:
            return self.broken.encode()
        if operation == "ListTasks":
            # Pages of one task.
            assert asked["desiredStatus"] == "RUNNING"
            arns = [task["taskArn"] for task in self.tasks[asked["serviceName"]]]
            at = int(asked.get("nextToken", 0))
            more = {"nextToken": str(at + 1)} if at + 1 < len(arns) else {}
            return json.dumps({"taskArns": arns[at : at + 1], **more}).encode()
        every = [task for tasks in self.tasks.values() for task in tasks]
        return json.dumps({"tasks": [task for task in every if task["taskArn"] in asked["tasks"]]}).encode()


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    made = Surroundings()
    yield made
    made.close()


KEY = "k" * 40
SERVICES = {"plan": {"service": "of-plans", "commands": 2}, "apply": {"service": "of-applies", "commands": 1}}
WORKERS = {
    "cluster": "atlantis",
    "port": 4142,
    "wait_minutes": 15,
    "server_service": "of-server",
    "server_user": "100:1000",
    **SERVICES,
}


class Agent:
    """One of the real programs, started as in its container."""

    def __init__(self, surroundings: Surroundings, folder: Path, *command: str, **environment: str) -> None:
        self.folder = folder
        self.broker = folder / "broker" / "agent.sock"
        roles = {
            "default": "arn:aws:iam::123456789012:role/plan",
            "patterns": [["my-organization/other-*", "arn:aws:iam::210987654321:role/plan"]],
            "tag": "Repository",
        }
        self.process = subprocess.Popen(
            command if command[0] == "/bin/sh" else [sys.executable, "-I", PROGRAMS / "bin" / command[0], *command[1:]],
            env={
                "PATH": "/usr/bin:/bin",
                "AWS_REGION": "ap-northeast-2",
                "AWS_ENDPOINT_URL": surroundings.url,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{surroundings.url}/v2/credentials/secret",
                "ATLANTIS_PORT": str(surroundings.port),
                "ECS_AGENT_URI": f"{surroundings.url}/api/0123",
                "ISOLATION_RUN_DIRECTORY": str(folder),
                "ISOLATION_ROLES": json.dumps(roles),
                "WORKERS": json.dumps(WORKERS),
                "WORKERS_KEY": KEY,
                "HTTP_PROXY": "http://127.0.0.1:1",
                "NO_PROXY": "",
                **{name: value for name, value in environment.items() if value},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, **question: str) -> dict[str, Any]:
        eventually(self.broker.exists)
        return session.ask(self.broker, question, 10)

    def close(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=120)
        return printed


@pytest.fixture
def start(surroundings: Surroundings, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Starts an agent: `worker-agent plan`, or another command; `shell` is the server's task protection without workers."""
    agents: list[Agent] = []

    def started(*command: str, renew_every: int = 600, **environment: str) -> Agent:
        if command == ("shell",):
            command = ("/bin/sh", "-c", shell.script(surroundings.port, look_every=0.05, renew_every=renew_every))
        if command == ("agent",) and not shutil.which("stunnel"):
            pytest.skip("needs stunnel")
        # AWS is not the host's own address, so only it could be behind a proxy; this test's isn't.
        settings = {"NO_PROXY": "127.0.0.1", **environment}
        agents.append(Agent(surroundings, tmp_path, *(command or ("worker-agent", "plan")), **settings))
        return agents[-1]

    yield started
    for agent in agents:
        if agent.process.poll() is None:
            agent.close()


@pytest.fixture
def executor(surroundings: Surroundings, tmp_path: Path) -> Iterator[None]:
    """An executor that reports as many running commands as the server has operations."""
    (tmp_path / "executor").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "executor" / "executor.sock"))
    listener.listen()

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    channel = Channel(connection)
                    assert channel.receive()
                    surroundings.looks += 1
                    if surroundings.operations is not None:
                        answer = {"running": surroundings.operations, "commands": 4}
                        channel.send(protocol.DATA, json.dumps(answer).encode())
                        channel.send_json(protocol.EXIT, {"code": 0})

    threading.Thread(target=serve, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_worker_gets_sessions_of_its_role_named_after_the_pull_request(
    surroundings: Surroundings, start: Callable[..., Agent]
) -> None:
    agent = start()
    plan = agent.ask(command="plan", checkout=CHECKOUT)
    agent.ask(command="show", checkout=CHECKOUT)
    other = agent.ask(command="init", checkout="my-organization/other-team/12/default")
    assert [(asked["RoleArn"], asked["RoleSessionName"]) for asked in surroundings.assumed] == [
        ("arn:aws:iam::123456789012:role/plan", "plan.my-organization.infrastructure.7"),
        ("arn:aws:iam::123456789012:role/plan", "show.my-organization.infrastructure.7"),
        ("arn:aws:iam::210987654321:role/plan", "init.my-organization.other-team.12"),
    ]
    # No tag is transitive.
    tags = [{key: asked[key] for key in asked if "Tag" in key} for asked in surroundings.assumed]
    repositories = ["infrastructure", "infrastructure", "other-team"]
    assert tags == [
        {"Tags.member.1.Key": "Repository", "Tags.member.1.Value": f"my-organization/{name}"} for name in repositories
    ]
    assert (plan["session"]["AccessKeyId"], plan["session"]["SecretAccessKey"]) == ("ASIA1", "s+/=")
    assert other["seconds"] > 3500
    assert "Credential=AKIATASK/" in surroundings.authorization
    # The same question again: the session is still good.
    assert agent.ask(command="plan", checkout=CHECKOUT)["session"] == plan["session"]
    assert len(surroundings.assumed) == 3


def test_a_refusal_of_aws_reaches_the_command_and_the_log(
    surroundings: Surroundings, start: Callable[..., Agent]
) -> None:
    agent = start()
    surroundings.denied = True
    with pytest.raises(session.SessionError, match="role/plan can't be assumed: AccessDenied: not you"):
        agent.ask(command="plan", checkout=CHECKOUT)
    assert "AccessDenied" in agent.close()


def test_other_questions_are_refused_and_only_root_can_ask(start: Callable[..., Agent]) -> None:
    agent = start()
    for question in ({"command": "plan", "checkout": "x"}, {"checkout": CHECKOUT}, {"command": "plan"}):
        with pytest.raises(session.SessionError):
            agent.ask(**question)
    assert agent.broker.parent.stat().st_mode & 0o777 == 0o700
    assert agent.broker.stat().st_mode & 0o777 == 0o600


APP = {"ATLANTIS_GH_APP_KEY": "no key", "ATLANTIS_GH_APP_ID": "1", "ATLANTIS_GH_APP_INSTALLATION_ID": "2"}


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        (("agent",), APP, "GithubError: the private key of the GitHub App isn't a PEM file"),
        (("agent",), {"WORKERS": "{}"}, "KeyError: 'cluster'"),
        (("agent",), {"WORKERS_KEY": "short:"}, "WORKERS_KEY has 6 characters; it must be 32 or more"),
        (("agent",), {"PATH": "/nonexistent"}, "the image has no stunnel"),
        (("tls-end", "--port", "1"), {"WORKERS_KEY": "short"}, "The TLS end can't start: WORKERS_KEY has 5 characters"),
        (("worker-agent", "plan"), {"ISOLATION_ROLES": "{}"}, "KeyError: 'default'"),
        (("worker-agent", "other"), {}, "name the kind of this worker, plan or apply"),
    ],
)
def test_a_program_that_cant_start_says_why_without_a_secret_and_ends(
    start: Callable[..., Agent], command: tuple[str, ...], environment: dict[str, str], expected: str
) -> None:
    agent = start(*command, **environment)
    printed, _ = agent.process.communicate(timeout=120)
    assert agent.process.returncode == 1
    assert expected in printed
    assert "no key" not in printed
    assert "short" not in printed


def test_workers_are_the_tasks_that_ecs_runs_and_finds_healthy(
    surroundings: Surroundings, start: Callable[..., Agent]
) -> None:
    surroundings.tasks["of-plans"] = [
        task(1, "RUNNING", "RUNNING", "HEALTHY"),
        task(2, "RUNNING", "RUNNING", "UNHEALTHY"),
        task(3, "RUNNING", "STOPPED", "HEALTHY"),
        task(4, "PENDING", "RUNNING", "UNKNOWN"),
        task(5, "RUNNING", "RUNNING", "HEALTHY"),
    ]
    printed = printed_until(start("agent"), '"healthy": 2')
    assert json.loads(printed[-1]).keys() == {"workers", *log_metrics._OF_WORKERS.values()}
    assert {"workers": "plan", "healthy": 2, "slots": 4, "busy": 0, "busy_percent": 0.0, "waiting": 0, "ended": 0} in [
        {key: line[key] for key in line if key != "longest_wait_seconds"} for line in map(json.loads, printed)
    ]


@pytest.mark.parametrize("broken", ['{"taskArns"\0cut off', "[]", '{"taskArns": 7}', "<html>"])
def test_an_answer_that_cant_be_read_is_reported_and_ends_nothing(
    surroundings: Surroundings, start: Callable[..., Agent], broken: str
) -> None:
    surroundings.broken = broken
    agent = start("agent")
    printed = printed_until(agent, "workers-unknown")
    assert json.loads(printed[-1])["service"] in ("of-plans", "of-applies")
    surroundings.broken = ""
    surroundings.tasks["of-plans"] = [task(1, "RUNNING", "RUNNING", "HEALTHY")]
    assert json.loads(printed_until(agent, '"healthy": 1')[-1])["workers"] == "plan"
    assert agent.process.poll() is None


def printed_until(agent: Agent, text: str) -> list[str]:
    """The lines that an agent prints until one has this text."""
    assert agent.process.stdout
    lines: list[str] = []
    while not lines or text not in lines[-1]:
        lines.append(agent.process.stdout.readline())
        assert lines[-1], lines
    return [line for line in lines if line.startswith("{")]


def test_a_part_that_fails_starts_again_and_ends_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    stop, runs = threading.Event(), []

    def fails(_: threading.Event) -> None:
        runs.append(1)
        if len(runs) == 2:
            stop.set()
        raise http.client.IncompleteRead(b"half")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_AGAIN_AFTER", 0.01)
        parts._keep_running("drift", fails, stop)
    assert json.loads(capsys.readouterr().out)["error"].startswith("IncompleteRead")
    assert len(runs) == 2


BUSY = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
IDLE = {"ProtectionEnabled": False}


def _looked_again(surroundings: Surroundings) -> None:
    """The agent prints what it did before it looks again."""
    looked = surroundings.looks
    eventually(lambda: surroundings.looks > looked)


@pytest.mark.parametrize("command", [("agent",), ("worker-agent", "plan"), ("shell",)])
@pytest.mark.usefixtures("executor")
def test_the_task_is_protected_while_something_runs(
    surroundings: Surroundings, start: Callable[..., Agent], command: tuple[str, ...]
) -> None:
    agent = start(*command)
    # What an earlier run of the container left is released first.
    eventually(lambda: surroundings.protection == [IDLE])
    surroundings.operations = 1
    eventually(lambda: surroundings.protection == [IDLE, BUSY])
    surroundings.operations = None
    looked = surroundings.looks
    eventually(lambda: surroundings.looks > looked + 1)
    assert surroundings.protection == [IDLE, BUSY]
    surroundings.operations = 0
    eventually(lambda: surroundings.protection == [IDLE, BUSY, IDLE])
    _looked_again(surroundings)
    printed = [line for line in agent.close().splitlines() if not line.startswith("{")]
    assert printed == ["protected: operations in progress: 1", "released: no operation in progress"]
    assert agent.process.returncode == 0


@pytest.mark.usefixtures("executor")
def test_a_worker_is_protected_before_its_command_has_a_session(
    surroundings: Surroundings, start: Callable[..., Agent]
) -> None:
    agent = start()
    eventually(lambda: surroundings.protection == [IDLE])
    agent.ask(command="apply", checkout=CHECKOUT)
    assert surroundings.protection[:2] == [IDLE, BUSY]


@pytest.mark.parametrize("command", [("worker-agent", "plan"), ("shell",)])
@pytest.mark.usefixtures("executor")
def test_a_refused_protection_is_printed_once_and_asked_for_again(
    surroundings: Surroundings, start: Callable[..., Agent], command: tuple[str, ...]
) -> None:
    surroundings.refusal = {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}
    surroundings.operations = 1
    agent = start(*command)
    eventually(lambda: surroundings.protection.count(BUSY) >= 3)
    surroundings.refusal = None
    known = len(surroundings.protection)
    eventually(lambda: len(surroundings.protection) > known)
    _looked_again(surroundings)
    printed = agent.close().splitlines()
    assert [line.split(": ")[0] for line in printed] == ["task protection can't be set to true", "protected"]
    assert "DEPLOYMENT_BLOCKED" in printed[0]


def test_an_agent_that_is_stopped_while_it_starts_ends(start: Callable[..., Agent]) -> None:
    for _ in range(5):
        agent = start()
        eventually(agent.broker.exists)
        agent.close()
        assert agent.process.returncode == 0
        agent.broker.unlink()


def test_a_protection_is_renewed_before_it_expires(surroundings: Surroundings, start: Callable[..., Agent]) -> None:
    for program in (task_protection, shell):
        assert program.RENEW_EVERY * 2 < program.EXPIRES * 60
    assert task_protection.LOOK_EVERY < 5
    surroundings.operations = 2
    agent = start("shell", renew_every=1)
    eventually(lambda: surroundings.protection.count(BUSY) >= 3)
    surroundings.operations = None
    _looked_again(surroundings)
    before = list(surroundings.protection)
    time.sleep(1.5)
    assert surroundings.protection == before
    assert agent.close().splitlines() == ["protected: operations in progress: 2"]
