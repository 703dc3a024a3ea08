"""A running Terraform stack is adopted with the real engine: nothing is lost, and nothing is left to change."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adoption.kinds import BY_PULUMI_TYPE
from adoption.plan import Plan, make_plan
from sandbox.adoption_rehearsal import neighbours
from sandbox.adoption_rehearsal.neighbours import snapshot
from sandbox.adoption_rehearsal.rehearsal import rehearse
from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws, processes
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.engine.workspace import clean_environment
from tests.adoption.carried_states import BY_NAME, CARRIED, Carried
from tests.adoption.states import REGION, SETTINGS, SHARED, shared_state, write
from tests.sandbox.harness import own_processes

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = "aws:ecs/cluster:Cluster"
LACKING = "module-4.4.1"
"""The state that is adopted with a table in which a row is missing."""
PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import pulumi
import pulumi_aws as aws
from components import adoption
adoption.register(pulumi.get_stack())
aws.cloudwatch.LogGroup("logs", name=pulumi.Config().require("group"), retention_in_days=7)
"""


def _assert_rehearsed(plan: Plan, folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    assert plan.problems == []
    ended = rehearse(plan, folder)
    shown = capfd.readouterr()
    assert ended == 0, shown.out[-6000:] + shown.err[-6000:]
    assert not folder.exists(), "a rehearsal leaves nothing behind"
    assert list(own_processes(folder)) == []
    return shown.err


def test_a_stack_of_another_account_and_region_is_adopted_and_what_it_shares_stays_as_it_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Mapping[str, Any]] = []
    monkeypatch.setattr(neighbours, "snapshot", lambda *arguments: taken.append(snapshot(*arguments)) or taken[-1])
    settings = {**SETTINGS, **SHARED, "terraformIsolation": "tasks"}
    plan = make_plan(write(tmp_path, shared_state()), "prod", settings, REGION)
    said = _assert_rehearsed(plan, tmp_path / "rehearsal", capfd)
    assert "14 resources were adopted under the ids that they had" in said
    before, after = taken
    assert before.items() <= after.items()
    kinds = {name.rpartition(" ")[0] for name in before}
    assert kinds == {"load balancer", "listener", "listener rule", "security group rule", "cluster"}
    rules = [rule for name, rule in before.items() if name.startswith("listener rule ") and not rule["IsDefault"]]
    assert sorted(int(rule["Priority"]) for rule in rules) == [5, 100, 300]


@pytest.mark.parametrize(
    "carried", [carried for carried in CARRIED if carried.name != LACKING], ids=lambda carried: carried.name
)
def test_a_state_that_the_official_provider_wrote_is_adopted_as_the_table_says(
    carried: Carried, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = _assert_rehearsed(carried.plan(tmp_path), tmp_path / "rehearsal", capfd)
    assert f"{carried.adopted} resources were adopted under the ids that they had" in said
    assert "storage-efs fs-" in said
    assert "storage-access-point fsap-" in said


def test_a_row_that_the_table_lacks_fails_the_rehearsal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = BY_NAME[LACKING].plan(tmp_path)
    kinds = {**BY_PULUMI_TYPE, CLUSTER: dataclasses.replace(BY_PULUMI_TYPE[CLUSTER], defaults={})}
    monkeypatch.setattr("adoption.pairing.BY_PULUMI_TYPE", kinds)
    assert rehearse(plan, tmp_path / "rehearsal") == 1
    found = "compute-cluster: the engine changes configuration, which the table doesn't list"
    shown = capfd.readouterr().err
    assert re.findall("^error: (.*)", shown, re.MULTILINE) == [f"the table differs from the update: {found}"]
    assert f"{BY_NAME[LACKING].adopted} resources were adopted under the ids that they had" in shown


def test_the_engine_refuses_to_replace_what_the_file_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "__main__.py").write_text(PROGRAM.format(root=str(ROOT)), encoding="utf-8")
    (program / "Pulumi.yaml").write_text("name: logs\nruntime: python\n", encoding="utf-8")
    (program / "Pulumi.test.yaml").write_text("config:\n  aws:region: ap-northeast-2\n", encoding="utf-8")
    state = tmp_path / "state"

    def sandbox(group: str) -> Sandbox:
        return Sandbox(
            "test", state=state, program=program, settings={"logs:group": group}, policy_pack=None, run_atlantis=False
        )

    logs = local_aws.start(state, clean_environment()).client("logs")
    try:
        logs.create_log_group(logGroupName="running")
        first = sandbox("running")
        first.workspace.adoption_file.write_text("test: {import: {logs: running}}", encoding="utf-8")
        first.up()
        (group,) = logs.describe_log_groups()["logGroups"]
        assert (group["logGroupName"], group["retentionInDays"]) == ("running", 7)

        capfd.readouterr()
        with pytest.raises(EngineError):
            sandbox("another").up()
        assert "may not be replaced" in capfd.readouterr().out
        assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["running"]

        kept = sandbox("another")
        kept.workspace.adoption_file.write_text("test: {keep: {logs: [name]}}", encoding="utf-8")
        kept.preview(expect_no_changes=True)
    finally:
        processes.stop_all(state)
