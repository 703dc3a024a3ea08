"""The attack table: what a verdict means, the forms in which it looks for a secret, and its pull requests."""

import base64
import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import sandbox.attack.__main__ as attack
from sandbox.attack import pull_requests
from sandbox.attack.row import Outcome, Row, SkippedError, Verdict, run
from sandbox.attack.secret_forms import found_in, shows
from sandbox.attack.table import ROWS
from sandbox.attack.target import Target
from sandbox.testbed.github.store import Store

_NOBODY = cast("Target", None)


def _row(attempt: Any, control: Any) -> Row:
    return Row(name="row", attack="a", tried="t", refused_by="r", attempt=attempt, control=control)


def _ends(*, allowed: bool) -> Any:
    return lambda _target: Outcome(allowed, "seen")


def _skips(_target: Target) -> Outcome:
    raise SkippedError("no node on PATH")


def _breaks(_target: Target) -> Outcome:
    raise KeyError("TaskDefinition")


@pytest.mark.parametrize(
    ("attempt", "control", "verdict", "acceptable"),
    [
        (_ends(allowed=False), _ends(allowed=True), Verdict.REFUSED, True),
        (_ends(allowed=True), _ends(allowed=True), Verdict.ALLOWED, False),
        (_ends(allowed=False), _ends(allowed=False), Verdict.CONTROL_REFUSED, False),
        (_skips, _ends(allowed=True), Verdict.SKIPPED, True),
        (_ends(allowed=False), _skips, Verdict.SKIPPED, True),
        (_ends(allowed=True), _skips, Verdict.ALLOWED, False),
        (_breaks, _ends(allowed=True), Verdict.ERROR, False),
        (_ends(allowed=False), _breaks, Verdict.ERROR, False),
    ],
)
def test_a_row_passes_only_where_the_attack_is_refused_and_the_control_is_allowed(
    attempt: Any, control: Any, verdict: Verdict, acceptable: bool
) -> None:
    result = run(_row(attempt, control), _NOBODY)
    assert (result.verdict, result.acceptable) == (verdict, acceptable)


def test_each_result_has_its_number_and_the_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [_row(_ends(allowed=False), _ends(allowed=True))] * 3
    target = SimpleNamespace(isolated=True, close_pull_requests=list)
    assert len(attack._run(rows, cast("Target", target), quiet=False)) == 3
    said = capsys.readouterr()
    assert re.findall(r"^\[(\d)/3, \d.*\] denied +row: a$", said.out, re.MULTILINE) == ["1", "2", "3"]
    assert "Running 3 attacks" in said.err


def test_every_row_has_another_name_and_states_what_refuses_it() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert [row.name for row in ROWS if not (row.attack and row.tried and row.refused_by)] == []


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAtheFirstLine\nGq3bSomeOtherLine+/==\n-----END RSA PRIVATE KEY-----\n"
SECRETS = {"KEY": KEY, "WEBHOOK": "s3cret/value+with=signs", "APP_ID": "123456"}


@pytest.mark.parametrize("offset", range(6))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode], ids=["standard", "url-safe"])
def test_a_secret_is_found_at_every_offset_of_a_base64_text(offset: int, encode: object) -> None:
    environment = "x" * offset + "\0WEBHOOK=s3cret/value+with=signs\0PATH=/bin"
    assert found_in(encode(environment.encode()).decode(), SECRETS) == ["WEBHOOK"]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "only one line: Gq3bSomeOtherLine+/==",
        json.dumps({"key": KEY}),
        KEY.encode().hex(),
        "0A" + KEY.encode().hex().upper(),
        base64.encodebytes(b"before" + KEY.encode()).decode(),
    ],
    ids=["whole", "line", "json", "hex", "upper hex", "wrapped base64"],
)
def test_a_private_key_is_found_whole_or_by_one_of_its_lines(text: str) -> None:
    assert found_in(text, SECRETS) == ["KEY"]


def test_markers_of_a_key_and_values_too_short_to_be_secret_are_not_taken_for_one() -> None:
    assert found_in("-----BEGIN RSA PRIVATE KEY-----\nfor App 123456", SECRETS) == []
    assert found_in(base64.b64encode(b"s3cret/another").decode(), SECRETS) == []


def test_a_short_value_that_is_looked_for_by_itself_is_found() -> None:
    assert shows(base64.b64encode(b"ATLANTIS_PORT=4141").decode(), "ATLANTIS_PORT")
    assert not shows("nothing of the kind", "ATLANTIS_PORT")


def test_every_opened_pull_request_is_closed_and_one_that_atlantis_keeps_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = None
    target = Target(nothing, nothing, github=Store(tmp_path), outputs={})
    delivered: list[tuple[str, str]] = []

    def deliver(_target: Target, event: str, body: bytes) -> Any:
        payload = json.loads(body)
        delivered.append((event, f"{payload['action']} {payload['repository']['full_name']}"))
        return SimpleNamespace(status=503 if "second" in payload["repository"]["full_name"] else 200)

    monkeypatch.setattr(Target, "deliver", deliver)
    monkeypatch.setattr(Target, "repository", lambda _, name: f"example/{name}")
    pulls = [
        pull_requests.opened(target, name, {"main.tf": pull_requests.HARMLESS}, branch="change")
        for name in ("first", "second")
    ]
    assert [dataclasses.asdict(pull)["repository"] for pull in target.opened] == [pull.repository for pull in pulls]

    assert target.close_pull_requests() == [f"{pulls[1].repository}#{pulls[1].number} (503)"]
    assert sorted(delivered) == sorted(("pull_request", f"closed {pull.repository}") for pull in pulls)
    assert target.close_pull_requests() == []
