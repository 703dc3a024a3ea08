"""The agent: sessions that it assumes for each executor, tokens for modules, and task protection, against real servers."""

import base64
import datetime
import hashlib
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from isolation import aws, github, session
from isolation.aws import Session
from isolation.broker import Broker, Roles, session_name
from isolation.task_protection import EXPIRES, LOOK_EVERY, RENEW_EVERY
from tests.unit.isolation.containers import CHECKOUT, PROGRAMS, eventually

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HOUR = datetime.timedelta(hours=1)


def pem(form: serialization.PrivateFormat) -> str:
    return KEY.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


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
    plan = agent.ask("plan", want="session", checkout=CHECKOUT)
    apply = agent.ask("apply", want="session", checkout=CHECKOUT)
    other = agent.ask("plan", want="session", checkout="my-organization/other-team/12/default")
    assert [(asked["RoleArn"], asked["RoleSessionName"]) for asked in world.assumed] == [
        ("arn:aws:iam::123456789012:role/plan", "plan.my-organization.infrastructure.7"),
        ("arn:aws:iam::123456789012:role/apply", "apply.my-organization.infrastructure.7"),
        ("arn:aws:iam::210987654321:role/plan", "plan.my-organization.other-team.12"),
    ]
    assert plan["session"]["AccessKeyId"] == "ASIA1"
    assert plan["session"]["SecretAccessKey"] == "s+/="
    assert apply["session"]["AccessKeyId"] == "ASIA2"
    assert other["seconds"] > 3500
    assert "Credential=AKIATASK/" in world.authorization
    # The same question again: the session is still good.
    assert agent.ask("plan", want="session", checkout=CHECKOUT)["session"] == plan["session"]
    assert len(world.assumed) == 3


def test_a_refusal_of_aws_reaches_the_command_and_the_log(world: World, start: Callable[..., Agent]) -> None:
    agent = start()
    world.denied = True
    with pytest.raises(session.SessionError, match="role/plan can't be assumed: AccessDenied: not you"):
        agent.ask("plan", want="session", checkout=CHECKOUT)
    assert "AccessDenied" in agent.close()


def test_other_questions_are_refused(start: Callable[..., Agent]) -> None:
    agent = start()
    for question in (
        {"want": "session", "checkout": "x"},
        {"want": "other", "checkout": CHECKOUT},
        {"want": "session"},
    ):
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


def test_the_signature_is_that_of_botocore() -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    now = datetime.datetime(2026, 11, 28, 5, 0, tzinfo=datetime.UTC)
    mine = aws.signed_headers(
        Session("AKIA", "secret", "token", now),
        "https://sts.eu-west-1.amazonaws.com",
        b"Action=AssumeRole",
        "eu-west-1",
        now,
    )
    request = AWSRequest("POST", "https://sts.eu-west-1.amazonaws.com/", data=b"Action=AssumeRole")
    request.headers["Content-Type"] = mine["content-type"]
    request.context["timestamp"] = mine["x-amz-date"]
    request.headers["X-Amz-Date"] = mine["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = "token"
    signer = SigV4Auth(Credentials("AKIA", "secret", "token"), "sts", "eu-west-1")
    canonical = signer.canonical_request(request)
    assert (
        signer.signature(signer.string_to_sign(request, canonical), request)
        == mine["authorization"].split("Signature=")[1]
    )


@pytest.mark.parametrize("form", [serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8])
def test_a_signature_with_the_apps_key_is_valid(form: serialization.PrivateFormat) -> None:
    signature = github.PrivateKey.parse(pem(form)).sign(b"content")
    KEY.public_key().verify(signature, b"content", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(github.GithubError):
        github.PrivateKey.parse(text)


def test_a_token_for_modules_can_only_read_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    class Answer:
        def __enter__(self) -> "Answer":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read(self) -> bytes:
            return b'{"token": "ghs_1"}'

    def urlopen(request: Any, timeout: float) -> Answer:
        assert timeout
        sent.append(request)
        return Answer()

    monkeypatch.setattr(github.urllib.request, "urlopen", urlopen)
    key = github.PrivateKey.parse(pem(serialization.PrivateFormat.PKCS8))
    app = github.App(host="github.com", app_id="1", installation_id="2", key=key, repositories=["modules"])
    assert (app.token(), app.token()) == ("ghs_1", "ghs_1")
    (request,) = sent
    assert request.full_url == "https://api.github.com/app/installations/2/access_tokens"
    assert json.loads(request.data) == {"permissions": {"contents": "read"}, "repositories": ["modules"]}
    header, claims, signature = request.get_header("Authorization").removeprefix("Bearer ").split(".")
    KEY.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"] == "1"
    assert "key" not in repr(key)


def test_a_session_name_is_one_of_iam_and_keeps_the_pull_request() -> None:
    assert session_name("plan", CHECKOUT) == "plan.my-organization.infrastructure.7"
    long = session_name("apply", f"{'o' * 39}/{'r' * 100}/123456/default")
    assert len(long) == 64
    assert long.startswith("apply.ooo")
    assert long.endswith(".123456")
    assert hashlib.sha256(f"{'o' * 39}.{'r' * 100}".encode()).hexdigest()[:8] in long
    assert session_name("plan", "o/r_x/-9/default") == "plan.o.r_x.-9"


def test_the_first_pattern_that_matches_decides_the_role() -> None:
    roles = Roles("default", [("my-organization/payments", "one"), ("My-Organization/*", "two")])
    assert [roles.of(name) for name in ("my-organization/Payments", "my-organization/x", "other/x")] == [
        "one",
        "two",
        "default",
    ]


def test_a_session_with_little_time_left_is_not_given_again(tmp_path: Path) -> None:
    made: list[str] = []

    def assume(_role: str, name: str) -> Session:
        made.append(name)
        return Session("A", "s", "t", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=19))

    broker = Broker("plan", tmp_path / "b" / "s.sock", Roles("r"), assume, None)
    threading.Thread(target=broker.serve, daemon=True).start()
    for _ in range(2):
        session.ask(tmp_path / "b" / "s.sock", {"want": "session", "checkout": CHECKOUT})
    broker.close()
    assert len(made) == 2


def test_a_client_that_sends_nothing_does_not_stop_the_broker(tmp_path: Path) -> None:
    broker = Broker("plan", tmp_path / "b" / "s.sock", Roles("r"), lambda _role, _name: pytest.fail("assumed"), None)
    threading.Thread(target=broker.serve, daemon=True).start()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(tmp_path / "b" / "s.sock"))
        assert session.ask(tmp_path / "b" / "s.sock", {"want": "git", "checkout": CHECKOUT}) == {}
    broker.close()


BUSY = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
IDLE = {"ProtectionEnabled": False}


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
    time.sleep(0.2)
    printed = agent.close().splitlines()
    assert [line.split(": ")[0] for line in printed] == ["task protection can't be set to true", "protected"]
    assert "DEPLOYMENT_BLOCKED" in printed[0]


def test_a_protection_is_renewed_before_it_expires() -> None:
    assert RENEW_EVERY * 2 < EXPIRES * 60
    assert LOOK_EVERY < 5
    assert os.access(PROGRAMS / "bin" / "agent", os.X_OK)
