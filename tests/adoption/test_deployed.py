"""A stack that is deployed already."""

import json
from pathlib import Path
from typing import Any

import pytest

from adoption import deployed
from tests.adoption.plans import small_plan
from tests.adoption.states import BALANCER, FILE_SYSTEM, arn


def _resource(token: str, name: str, identity: str, **more: str) -> dict[str, Any]:
    return {"type": token, "urn": f"urn:pulumi:prod::atlantis::{token}::{name}", "id": identity, **more}


def test_a_resource_of_its_own_in_the_place_of_an_adopted_one_is_in_the_way() -> None:
    own = _resource("aws:efs/fileSystem:FileSystem", "storage-efs", "fs-ffffffffffffffff1")
    (problem,) = deployed.in_the_way(small_plan(), [own])
    assert "its storage-efs is fs-ffffffffffffffff1" in problem
    assert f"importing {FILE_SYSTEM} would replace it" in problem


def test_what_was_adopted_before_is_not_in_the_way() -> None:
    service = arn("ecs", "service/atlantis/atlantis")
    adopted = [
        _resource("aws:efs/fileSystem:FileSystem", "storage-efs", FILE_SYSTEM),
        _resource("aws:lb/loadBalancer:LoadBalancer", "ingress-alb", BALANCER),
        _resource("aws:ecs/service:Service", "compute-service", service, importID="atlantis/atlantis"),
        _resource("atlantis:index:Storage", "storage", ""),
    ]
    assert list(deployed.in_the_way(small_plan(), adopted)) == []


def test_the_engine_on_path_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _resource("aws:efs/fileSystem:FileSystem", "storage-efs", "fs-ffffffffffffffff1")
    (tmp_path / "state.json").write_text(json.dumps({"deployment": {"resources": [own]}}), encoding="utf-8")
    engine = tmp_path / "pulumi"
    engine.write_text(
        f'#!/bin/sh\n[ "$*" = "stack export --stack prod --non-interactive" ] && cat {tmp_path}/state.json\n'
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert len(deployed.problems(small_plan(), tmp_path)) == 1


def test_an_engine_that_knows_no_such_stack_is_no_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "pulumi"
    engine.write_text("#!/bin/sh\necho \"error: no stack named 'prod' found\" >&2\nexit 255\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    plan = small_plan()
    assert deployed.problems(plan, tmp_path) == []
    assert plan.notes.pop() == "The engine knows no deployed stack prod: error: no stack named 'prod' found"
