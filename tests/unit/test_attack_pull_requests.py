"""The pull requests that the attacks open are closed at the end, so that their locks don't stay."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.attack import pull_requests
from sandbox.attack.target import Target
from sandbox.testbed.github.store import Store


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
