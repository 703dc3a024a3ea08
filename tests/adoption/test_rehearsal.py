"""What a rehearsal finds wrong, and the identifiers that its copy replaces: those that AWS assigns, and no names."""

import json
from pathlib import Path
from typing import Any

import pytest

from adoption.state import read_state
from sandbox.adoption_rehearsal.neighbours import changed
from sandbox.adoption_rehearsal.rehearsal import lost, other_resources
from sandbox.adoption_rehearsal.replica import _identities
from sandbox.adoption_rehearsal.terraform import changed_by_terraform
from sandbox.testbed import terraform_provider
from sandbox.testbed.terraform_provider import TerraformProvider
from tests.adoption.carried_states import BY_NAME
from tests.adoption.plans import small_plan
from tests.adoption.states import FILE_SYSTEM, add, small_state, write

SYSTEM = "aws:efs/fileSystem:FileSystem"


def test_what_existed_before_and_is_gone_was_lost() -> None:
    before = {SYSTEM: {"fs-1", "fs-2"}, "aws:kms/key:Key": {"key"}}
    after = {SYSTEM: {"fs-2", "fs-3"}}
    assert list(lost(before, after)) == [
        f"{SYSTEM} fs-1 is missing: the adoption deleted or replaced it",
        "aws:kms/key:Key key is missing: the adoption deleted or replaced it",
    ]
    assert list(lost(before, before | {"aws:s3/bucket:Bucket": {"new"}})) == []


def test_a_resource_under_another_id_was_not_adopted() -> None:
    plan = small_plan()
    resources: list[dict[str, Any]] = [
        {
            "type": item.pair.wanted.type,
            "urn": f"urn:pulumi:prod::atlantis::x::{item.pair.wanted.name}",
            "custom": True,
            "id": item.pair.actual.id,
        }
        for item in plan.adopted
    ]
    assert list(other_resources(resources, plan)) == []
    system = next(item for item in resources if item["type"] == SYSTEM)
    system["id"] = "fs-new"
    assert list(other_resources(resources, plan)) == [f"storage-efs is fs-new, not {FILE_SYSTEM}: it was not adopted"]
    resources.remove(system)
    assert list(other_resources(resources, plan)) == [f"storage-efs is missing, not {FILE_SYSTEM}: it was not adopted"]


def test_a_part_of_others_that_changed_or_is_missing_is_named_and_a_new_one_is_not() -> None:
    before = {"load balancer lb": {"name": "a"}, "listener l": {"port": 443}, "listener rule r": {"priority": 1}}
    after = {"load balancer lb": {"name": "a"}, "listener l": {"port": 80}, "listener rule new": {}}
    assert list(changed(before, after)) == [
        "listener l of others changed: an adoption leaves it as it is",
        "listener rule r of others is missing: an adoption leaves it as it is",
    ]
    assert list(changed(before, before)) == []


@pytest.mark.parametrize(
    ("fails", "prints", "found"),
    [
        ("init", "registry answers 503", "`terraform init` failed, "),
        ("state", "no such resource", "`sh state-rm.sh` failed, "),
        (
            "plan",
            '{"diagnostic": {"severity": "error", "summary": "written by a newer provider"}}',
            "`terraform plan` failed, ",
        ),
    ],
)
def test_a_terraform_that_fails_is_an_error_with_its_command_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, prints: str, found: str
) -> None:
    program = tmp_path / "terraform"
    program.write_text(f"#!/bin/sh\n[ $1 != {fails} ] || {{ echo '{prints}'; exit 1; }}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(terraform_provider, "find", lambda: TerraformProvider(tmp_path))
    plan = BY_NAME["module-4.4.1"].plan(tmp_path)
    (finding,) = changed_by_terraform(plan, tmp_path / "rehearsal")
    assert finding.startswith(found)
    assert (json.loads(prints)["diagnostic"]["summary"] if fails == "plan" else prints) in finding
    assert "Pull the state again with this machine's Terraform" in finding


def test_a_missing_terraform_is_skipped_visibly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terraform_provider, "find", lambda: None)
    assert list(changed_by_terraform(BY_NAME["module-4.4.1"].plan(tmp_path), tmp_path / "rehearsal")) == []
    assert "skipped: Terraform's plan of what remains" in capsys.readouterr().err


ARN = "arn:aws:ecs:eu-west-1:210987654321:task-definition/atlantis-server:3"


@pytest.mark.parametrize(
    ("type_", "attributes", "expected"),
    [
        # Replacing a name would change every other name that contains it.
        (
            "aws_iam_role",
            {"id": "atlantis-tasks", "name": "atlantis-tasks", "arn": "arn:aws:iam::1:role/atlantis-tasks"},
            1,
        ),
        ("aws_ecs_task_definition", {"id": "atlantis-server", "family": "atlantis-server", "arn": ARN}, 1),
        ("aws_ecs_cluster_capacity_providers", {"id": "atlantis-cluster", "cluster_name": "atlantis-cluster"}, 0),
        ("aws_ecr_lifecycle_policy", {"id": "atlantis", "repository": "atlantis"}, 0),
        ("aws_kms_key", {"id": "0a1b2c3d-4e5f", "key_id": "0a1b2c3d-4e5f", "arn": "arn:aws:kms:eu-west-1:1:key/x"}, 2),
        ("aws_security_group_rule", {"id": "sgrule-1234", "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee51"}, 2),
    ],
)
def test_only_identifiers_that_aws_assigns_are_replaced(
    type_: str, attributes: dict[str, Any], expected: int, tmp_path: Any
) -> None:
    state = small_state()
    add(state, f"{type_}.another", attributes)
    resource = next(item for item in read_state(write(tmp_path, state)).resources if item.address == f"{type_}.another")
    names = {attributes.get(name) for name in ("name", "family", "cluster_name", "repository")}
    found = _identities(resource)
    assert not found & names
    assert len(found) == expected
