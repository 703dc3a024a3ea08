"""The broker of a worker's agent: the sessions that it gives to the executor, and the signature of its call."""

import contextlib
import datetime
import hashlib
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from isolation import aws, session
from isolation import broker as broker_module
from isolation.aws import AwsError, Session
from isolation.broker import Broker, Roles, session_name
from tests.unit.isolation.containers import CHECKOUT

HOUR = datetime.timedelta(hours=1)


def test_a_session_name_is_one_of_iam_and_keeps_the_pull_request() -> None:
    assert session_name("plan", CHECKOUT) == "plan.my-organization.infrastructure.7"
    long = session_name("apply", f"{'o' * 39}/{'r' * 100}/123456/default")
    assert len(long) == 64
    assert long.startswith("apply.ooo")
    assert long.endswith(".123456")
    assert hashlib.sha256(f"{'o' * 39}.{'r' * 100}".encode()).hexdigest()[:8] in long
    assert session_name("plan", "o/r_x/-9/default") == "plan.o.r_x.-9"


def test_a_session_name_has_the_command_in_a_form_that_iam_takes() -> None:
    assert session_name("run", CHECKOUT) == "run.my-organization.infrastructure.7"
    assert session_name("-help me=now; please", CHECKOUT) == "-help-me-now.my-organization.infrastructure.7"


def test_the_first_pattern_that_matches_decides_the_role_and_every_session_gets_the_tag() -> None:
    roles = Roles("default", [("my-organization/payments", "one"), ("My-Organization/*", "two")], tag="T")
    assert [roles.of(name) for name in ("my-organization/Payments", "my-organization/x", "other/x")] == [
        ("one", {"T": "my-organization/Payments"}),
        ("two", {"T": "my-organization/x"}),
        ("default", {"T": "other/x"}),
    ]
    assert Roles("default").of("other/x") == ("default", {})


def test_repositories_whose_session_names_are_the_same_share_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def assume(_role: str, _name: str, tags: Mapping[str, str]) -> Session:
        given.append(tags["T"])
        return Session("A", "s", "t", datetime.datetime.now(datetime.UTC) + HOUR)

    monkeypatch.setattr(broker_module, "session_name", lambda _command, _checkout: "the same")
    broker = Broker("plan", tmp_path / "b" / "s.sock", Roles("r", tag="T"), assume)
    threading.Thread(target=broker.serve, daemon=True).start()
    for repository in ("o/a", "o/b", "o/a"):
        question = {"command": "plan", "checkout": f"{repository}/1/default"}
        session.ask(tmp_path / "b" / "s.sock", question)
    broker.close()
    assert given == ["o/a", "o/b"]


@pytest.mark.parametrize(
    ("repository", "tagged"),
    [("my-organization/payments", [True, False, False]), ("other/x", [True, True])],
    ids=["of a repository", "of the stack"],
)
def test_only_a_repositorys_own_role_is_assumed_without_the_tag_that_its_trust_policy_refuses(
    tmp_path: Path, repository: str, tagged: list[bool]
) -> None:
    seen: list[bool] = []

    def assume(_role: str, _name: str, tags: Mapping[str, str]) -> Session:
        seen.append(bool(tags))
        if tags:
            raise AwsError("AccessDenied: User: x is not authorized to perform: sts:TagSession on resource: own")
        # Short, so that each question asks for another one.
        return Session("A", "s", "t", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=19))

    roles = Roles("default", [("my-organization/*", "own")], tag="T")
    broker = Broker("plan", tmp_path / "b" / "s.sock", roles, assume)
    threading.Thread(target=broker.serve, daemon=True).start()
    for _ in range(2):
        question = {"command": "plan", "checkout": f"{repository}/1/default"}
        with contextlib.suppress(session.SessionError):
            session.ask(tmp_path / "b" / "s.sock", question)
    broker.close()
    assert seen == tagged


def test_a_session_with_little_time_left_is_not_given_again(tmp_path: Path) -> None:
    made: list[str] = []

    def assume(_role: str, name: str, _tags: Mapping[str, str]) -> Session:
        made.append(name)
        return Session("A", "s", "t", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=19))

    broker = Broker("plan", tmp_path / "b" / "s.sock", Roles("r"), assume)
    threading.Thread(target=broker.serve, daemon=True).start()
    for _ in range(2):
        session.ask(tmp_path / "b" / "s.sock", {"command": "plan", "checkout": CHECKOUT})
    broker.close()
    assert len(made) == 2


def test_a_client_that_sends_nothing_does_not_stop_the_broker(tmp_path: Path) -> None:
    broker = Broker("plan", tmp_path / "b" / "s.sock", Roles("r"), lambda *_: pytest.fail("assumed"))
    threading.Thread(target=broker.serve, daemon=True).start()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(tmp_path / "b" / "s.sock"))
        with pytest.raises(session.SessionError, match="'x' isn't a checkout"):
            session.ask(tmp_path / "b" / "s.sock", {"command": "plan", "checkout": "x"})
    broker.close()


@pytest.mark.parametrize(
    "service",
    [aws.Service("sts", "eu-west-1"), aws.Service("logs", "eu-west-1", "application/x-amz-json-1.1", "Logs.Any")],
)
def test_the_signature_is_that_of_botocore(service: aws.Service) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    now = datetime.datetime(2026, 11, 28, 5, 0, tzinfo=datetime.UTC)
    url, body = aws.endpoint(service.name, service.region), b"Action=AssumeRole"
    mine = aws.signed_headers(Session("AKIA", "secret", "token", now), url, body, service, now)
    request = AWSRequest("POST", f"{url}/", data=body)
    if service.target:
        request.headers["X-Amz-Target"] = service.target
    request.headers["Content-Type"] = mine["content-type"]
    request.context["timestamp"] = mine["x-amz-date"]
    request.headers["X-Amz-Date"] = mine["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = "token"
    signer = SigV4Auth(Credentials("AKIA", "secret", "token"), service.name, service.region)
    canonical = signer.canonical_request(request)
    assert (
        signer.signature(signer.string_to_sign(request, canonical), request)
        == mine["authorization"].split("Signature=")[1]
    )
