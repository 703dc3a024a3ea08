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


def ask(tmp_path: Path, roles: Roles, *repositories: str, minutes: int = 60, refuses_tags: str = "") -> list[str]:
    """Ask for a session of a plan in each repository, one after the other; the tags of those that were assumed."""
    path, given = tmp_path / "b" / "s.sock", list[str]()

    def assume(_role: str, _name: str, tags: Mapping[str, str]) -> Session:
        given.append(tags.get("T", ""))
        if refuses_tags and tags:
            raise AwsError(f"AccessDenied: User: x is not authorized to perform: {refuses_tags} on resource: own")
        return Session("A", "s", "t", datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes))

    broker = Broker("plan", path, roles, assume)
    threading.Thread(target=broker.serve, daemon=True).start()
    for repository in repositories:
        with contextlib.suppress(session.SessionError):
            session.ask(path, {"command": "plan", "checkout": f"{repository}/1/default"})
    broker.close()
    return given


def test_repositories_whose_session_names_are_the_same_share_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "session_name", lambda _command, _checkout: "the same")
    assert ask(tmp_path, Roles("r", tag="T"), "o/a", "o/b", "o/a") == ["o/a", "o/b"]


@pytest.mark.parametrize(
    ("repository", "refused", "tagged"),
    [
        ("my-organization/payments", "sts:TagSession", [True, False, False]),
        ("my-organization/payments", "sts:AssumeRole", [True, True]),
        ("other/x", "sts:TagSession", [True, True]),
    ],
    ids=["of a repository", "which can't be assumed", "of the stack"],
)
def test_only_a_repositorys_own_role_is_assumed_without_the_tag_that_its_trust_policy_refuses(
    tmp_path: Path, repository: str, refused: str, tagged: list[bool]
) -> None:
    roles = Roles("default", [("my-organization/*", "own")], tag="T")
    # Short, so that each question asks for another one.
    found = ask(tmp_path, roles, repository, repository, minutes=19, refuses_tags=refused)
    assert [bool(tag) for tag in found] == tagged


def test_a_session_with_little_time_left_is_not_given_again(tmp_path: Path) -> None:
    assert len(ask(tmp_path, Roles("r"), "o/a", "o/a", minutes=19)) == 2


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
