"""The agents: a worker's gives sessions, the server's finds workers in ECS; both protect their tasks. Against real servers."""

import contextlib
import datetime
import http.client
import http.server
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.monitoring import log_metrics
from isolation import parts, protocol, session
from isolation.protocol import Channel
from isolation.task_protection import EXPIRES, LOOK_EVERY, RENEW_EVERY
from tests.unit.isolation.containers import CHECKOUT, PROGRAMS, eventually

HOUR = datetime.timedelta(hours=1)


def task(number: int, *states: str) -> dict[str, Any]:
    """A task as DescribeTasks shows it."""
    details = [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": f"10.0.0.{number}"}]
    return {
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/atlantis/{number}",
        **dict(zip(("lastStatus", "desiredStatus", "healthStatus"), states, strict=True)),
        "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
    }


class Surroundings:
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
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        surroundings = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/status":
                    surroundings.looks += 1
                    if surroundings.operations is None:
                        self.send_error(503)
                        return
                    # As Atlantis writes it, indented.
                    known = {"shutting_down": False, "in_progress_operations": surroundings.operations}
                    self._answer(200, json.dumps(known | {"version": "0.47.1"}, indent=2))
                    return
                assert self.path == "/v2/credentials/secret"
                expires = (datetime.datetime.now(datetime.UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
                role = {"AccessKeyId": "AKIATASK", "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
                self._answer(200, json.dumps(role))

            def do_PUT(self) -> None:
                assert self.path == "/api/0123/task-protection/v1/state"
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                surroundings.protection.append(asked)
                self._answer(
                    200,
                    json.dumps(
                        surroundings.refusal or {"protection": {"ProtectionEnabled": asked["ProtectionEnabled"]}}
                    ),
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if operation := self.headers["X-Amz-Target"]:
                    self._answer_of_ecs(operation.rpartition(".")[2], json.loads(body))
                    return
                surroundings.authorization = self.headers["Authorization"]
                if surroundings.denied:
                    self._answer(
                        403,
                        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>",
                    )
                    return
                asked = dict(urllib.parse.parse_qsl(body))
                surroundings.assumed.append(asked)
                expires = (datetime.datetime.now(datetime.UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
                self._answer(
                    200,
                    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
                    f"<AccessKeyId>ASIA{len(surroundings.assumed)}</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey>"
                    f"<SessionToken>token</SessionToken><Expiration>{expires}</Expiration>"
                    "</Credentials></AssumeRoleResult></AssumeRoleResponse>",
                )

            def _answer_of_ecs(self, operation: str, asked: dict[str, Any]) -> None:
                assert asked["cluster"] == "atlantis"
                if surroundings.broken == "truncated":
                    self.send_response(200)
                    self.send_header("Content-Length", "100")
                    self.end_headers()
                    self.wfile.write(b'{"taskArns"')
                    self.close_connection = True
                elif surroundings.broken:
                    self._answer(200, surroundings.broken)
                elif operation == "ListTasks":
                    # Pages of one task.
                    assert asked["desiredStatus"] == "RUNNING"
                    arns = [task["taskArn"] for task in surroundings.tasks[asked["serviceName"]]]
                    at = int(asked.get("nextToken", 0))
                    more = {"nextToken": str(at + 1)} if at + 1 < len(arns) else {}
                    self._answer(200, json.dumps({"taskArns": arns[at : at + 1], **more}))
                else:
                    every = [task for tasks in surroundings.tasks.values() for task in tasks]
                    self._answer(
                        200, json.dumps({"tasks": [task for task in every if task["taskArn"] in asked["tasks"]]})
                    )

            def _answer(self, code: int, text: str) -> None:
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's own name
                pass

        return Handler


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
            [sys.executable, "-I", PROGRAMS / "bin" / command[0], *command[1:]],
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
        printed, _ = self.process.communicate(timeout=20)
        return printed


@pytest.fixture
def start(surroundings: Surroundings, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Starts an agent: `worker-agent plan`, or another command."""
    agents: list[Agent] = []

    def started(*command: str, **environment: str) -> Agent:
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
    printed, _ = agent.process.communicate(timeout=20)
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


@pytest.mark.parametrize("broken", ["truncated", "[]", '{"taskArns": 7}', "<html>"])
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


@pytest.mark.parametrize("command", [("agent",), ("worker-agent", "plan")])
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


@pytest.mark.usefixtures("executor")
def test_a_refused_protection_is_printed_once_and_asked_for_again(
    surroundings: Surroundings, start: Callable[..., Agent]
) -> None:
    surroundings.refusal = {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}
    surroundings.operations = 1
    agent = start()
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


def test_a_protection_is_renewed_before_it_expires() -> None:
    assert RENEW_EVERY * 2 < EXPIRES * 60
    assert LOOK_EVERY < 5
