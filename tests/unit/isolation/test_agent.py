"""The agent: sessions that it assumes for each executor, tokens for modules, and task protection, against real servers."""

import datetime
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isolation import session
from isolation.task_protection import EXPIRES, LOOK_EVERY, RENEW_EVERY
from tests.unit.isolation.containers import CHECKOUT, PROGRAMS, eventually

HOUR = datetime.timedelta(hours=1)


class World:
    """What the agent speaks to: the server's /status, the ECS agent, the task role's credentials, STS."""

    def __init__(self) -> None:
        self.operations: int | None = 0
        self.protection: list[dict[str, Any]] = []
        self.refusal: dict[str, Any] | None = None
        self.assumed: list[dict[str, str]] = []
        self.authorization = ""
        self.denied = False
        self.looks = 0
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        world = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/status":
                    world.looks += 1
                    if world.operations is None:
                        self.send_error(503)
                        return
                    self._answer(200, json.dumps({"in_progress_operations": world.operations}, indent=2))
                    return
                assert self.path == "/v2/credentials/secret"
                expires = (datetime.datetime.now(datetime.UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
                role = {"AccessKeyId": "AKIATASK", "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
                self._answer(200, json.dumps(role))

            def do_PUT(self) -> None:
                assert self.path == "/api/0123/task-protection/v1/state"
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                world.protection.append(asked)
                self._answer(
                    200, json.dumps(world.refusal or {"protection": {"ProtectionEnabled": asked["ProtectionEnabled"]}})
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                world.authorization = self.headers["Authorization"]
                if world.denied:
                    self._answer(
                        403,
                        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>",
                    )
                    return
                asked = dict(urllib.parse.parse_qsl(body))
                world.assumed.append(asked)
                expires = (datetime.datetime.now(datetime.UTC) + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
                self._answer(
                    200,
                    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
                    f"<AccessKeyId>ASIA{len(world.assumed)}</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey>"
                    f"<SessionToken>token</SessionToken><Expiration>{expires}</Expiration>"
                    "</Credentials></AssumeRoleResult></AssumeRoleResponse>",
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
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


class Agent:
    """The real program, started as in its container."""

    def __init__(self, world: World, folder: Path, **environment: str) -> None:
        self.folder = folder
        roles = {
            role: {
                "default": f"arn:aws:iam::123456789012:role/{role}",
                "patterns": [["my-organization/other-*", f"arn:aws:iam::210987654321:role/{role}"]],
                "tag": "Repository",
            }
            for role in ("plan", "apply")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-I", PROGRAMS / "bin" / "agent"],
            env={
                "AWS_REGION": "ap-northeast-2",
                "AWS_ENDPOINT_URL": world.url,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{world.url}/v2/credentials/secret",
                "ATLANTIS_PORT": str(world.port),
                "ECS_AGENT_URI": f"{world.url}/api/0123",
                "ISOLATION_RUN_DIRECTORY": str(folder),
                "ISOLATION_ROLES": json.dumps(roles),
                "HTTP_PROXY": "http://127.0.0.1:1",
                "NO_PROXY": "",
                **{name: value for name, value in environment.items() if value},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, role: str, **question: str) -> dict[str, Any]:
        path = self.folder / f"{role}-broker" / "agent.sock"
        eventually(path.exists)
        return session.ask(path, question, 10)

    def close(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        printed, _ = self.process.communicate(timeout=20)
        return printed


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    agents: list[Agent] = []

    def started(**environment: str) -> Agent:
        # STS is not the host's own address, so only it could be behind a proxy; this test's isn't.
        agents.append(Agent(world, tmp_path, **{"NO_PROXY": "127.0.0.1", **environment}))
        return agents[-1]

    yield started
    for agent in agents:
        if agent.process.poll() is None:
            agent.close()


def test_each_executor_gets_sessions_of_its_own_role_named_after_the_pull_request(
    world: World, start: Callable[..., Agent]
) -> None:
    agent = start()
    plan = agent.ask("plan", want="session", command="plan", checkout=CHECKOUT)
    apply = agent.ask("apply", want="session", command="import", checkout=CHECKOUT)
    other = agent.ask("plan", want="session", command="init", checkout="my-organization/other-team/12/default")
    assert [(asked["RoleArn"], asked["RoleSessionName"]) for asked in world.assumed] == [
        ("arn:aws:iam::123456789012:role/plan", "plan.my-organization.infrastructure.7"),
        ("arn:aws:iam::123456789012:role/apply", "import.my-organization.infrastructure.7"),
        ("arn:aws:iam::210987654321:role/plan", "init.my-organization.other-team.12"),
    ]
    # No tag is transitive.
    tags = [{key: asked[key] for key in asked if "Tag" in key} for asked in world.assumed]
    repositories = ["infrastructure", "infrastructure", "other-team"]
    assert tags == [
        {"Tags.member.1.Key": "Repository", "Tags.member.1.Value": f"my-organization/{name}"} for name in repositories
    ]
    assert plan["session"]["AccessKeyId"] == "ASIA1"
    assert plan["session"]["SecretAccessKey"] == "s+/="
    assert apply["session"]["AccessKeyId"] == "ASIA2"
    assert other["seconds"] > 3500
    assert "Credential=AKIATASK/" in world.authorization
    # The same question again: the session is still good.
    assert agent.ask("plan", want="session", command="plan", checkout=CHECKOUT)["session"] == plan["session"]
    assert len(world.assumed) == 3


def test_a_refusal_of_aws_reaches_the_command_and_the_log(world: World, start: Callable[..., Agent]) -> None:
    agent = start()
    world.denied = True
    with pytest.raises(session.SessionError, match="role/plan can't be assumed: AccessDenied: not you"):
        agent.ask("plan", want="session", command="plan", checkout=CHECKOUT)
    assert "AccessDenied" in agent.close()


def test_other_questions_are_refused(start: Callable[..., Agent]) -> None:
    agent = start()
    asked = [{"want": "session", "checkout": "x"}, {"want": "other", "checkout": CHECKOUT}]
    for question in (*asked, {"want": "session", "checkout": CHECKOUT}, {"want": "session"}):
        with pytest.raises(session.SessionError):
            agent.ask("plan", **question)


def test_the_sockets_are_their_owners_alone(start: Callable[..., Agent], tmp_path: Path) -> None:
    agent = start()
    agent.ask("plan", want="git", checkout=CHECKOUT)
    for role in ("plan", "apply"):
        folder = tmp_path / f"{role}-broker"
        eventually((folder / "agent.sock").exists)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "agent.sock").stat().st_mode & 0o777 == 0o600


def test_an_agent_without_a_role_or_with_a_broken_key_says_so_and_ends(
    world: World, start: Callable[..., Agent]
) -> None:
    assert world.port
    broken = start(ATLANTIS_GH_APP_KEY="no key", ATLANTIS_GH_APP_ID="1", ATLANTIS_GH_APP_INSTALLATION_ID="2")
    printed, _ = broken.process.communicate(timeout=20)
    assert broken.process.returncode == 1
    assert "isn't a PEM file" in printed
    assert "no key" not in printed
    missing = start(ISOLATION_ROLES="{}")
    printed, _ = missing.process.communicate(timeout=20)
    assert (missing.process.returncode, printed) == (1, "The agent can't start: KeyError: 'plan'\n")


BUSY = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
IDLE = {"ProtectionEnabled": False}


def _looked_again(world: World) -> None:
    """The agent prints what it did before it looks at the server again."""
    looked = world.looks
    eventually(lambda: world.looks > looked)


def test_the_task_is_protected_while_an_operation_is_in_progress(world: World, start: Callable[..., Agent]) -> None:
    agent = start()
    # What an earlier run of the container left is released first.
    eventually(lambda: world.protection == [IDLE])
    world.operations = 1
    eventually(lambda: world.protection == [IDLE, BUSY])
    world.operations = None
    looked = world.looks
    eventually(lambda: world.looks > looked + 1)
    assert world.protection == [IDLE, BUSY]
    world.operations = 0
    eventually(lambda: world.protection == [IDLE, BUSY, IDLE])
    _looked_again(world)
    assert agent.close().splitlines() == ["protected: operations in progress: 1", "released: no operation in progress"]
    assert agent.process.returncode == 0


def test_a_refused_protection_is_printed_once_and_asked_for_again(world: World, start: Callable[..., Agent]) -> None:
    world.refusal = {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}
    world.operations = 1
    agent = start()
    eventually(lambda: world.protection.count(BUSY) >= 3)
    world.refusal = None
    known = len(world.protection)
    eventually(lambda: len(world.protection) > known)
    _looked_again(world)
    printed = agent.close().splitlines()
    assert [line.split(": ")[0] for line in printed] == ["task protection can't be set to true", "protected"]
    assert "DEPLOYMENT_BLOCKED" in printed[0]


def test_an_agent_that_is_stopped_while_it_starts_ends(start: Callable[..., Agent], tmp_path: Path) -> None:
    for _ in range(5):
        agent = start()
        eventually((tmp_path / "plan-broker" / "agent.sock").exists)
        agent.close()
        assert agent.process.returncode == 0
        (tmp_path / "plan-broker" / "agent.sock").unlink()


def test_a_protection_is_renewed_before_it_expires() -> None:
    assert RENEW_EVERY * 2 < EXPIRES * 60
    assert LOOK_EVERY < 5
    assert os.access(PROGRAMS / "bin" / "agent", os.X_OK)
