"""Each part of the running task definition, and each right of its role: kept, replaced, or lost by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adoption import report
from adoption.task_inventory import KEPT, LOST, REPLACED
from adoption.task_inventory import problem as problem_of
from tests.adoption.plans import plan, proposed, results, small_plan
from tests.adoption.states import changed_state
from tests.tables import table


def _name(row: Mapping[str, Any]) -> str:
    return row.get("name") or next(iter(row.get("variables") or row["secrets"]))


def test_everything_of_the_small_stack_is_in_the_table_and_nothing_is_lost() -> None:
    found = small_plan()
    app = ("ATLANTIS_GH_APP_ID", "ATLANTIS_GH_APP_INSTALLATION_ID", "ATLANTIS_GH_APP_KEY", "ATLANTIS_GH_WEBHOOK_SECRET")
    assert {item.name: item.result for item in found.task} == {
        **dict.fromkeys(("ATLANTIS_ATLANTIS_URL", "ATLANTIS_REPO_ALLOWLIST", *app), KEPT),
        **dict.fromkeys(("container.name", "container.essential", "container.portMappings"), KEPT),
        **dict.fromkeys(("container.image", "container.mountPoints", "container.logConfiguration"), REPLACED),
    }
    assert not found.problems
    text = report.describe(found)
    assert "The running task definition module.atlantis.aws_ecs_task_definition.this (12)" in text
    assert "  kept: ATLANTIS_ATLANTIS_URL, ATLANTIS_REPO_ALLOWLIST, " in text
    assert "  replaced: container.image (image or imageTag names it)" in text


@pytest.mark.parametrize("row", table(__file__, "lost"), ids=_name)
def test_what_would_be_lost_stops_the_adoption_until_it_is_accepted_by_name(row: Mapping[str, Any]) -> None:
    found, name = plan(changed_state(row)), _name(row)
    assert results(found)[name] == LOST
    (problem,) = found.problems
    (line,) = [line for line in problem.splitlines() if line.strip().startswith(f"{name}: ")]
    assert row["says"] in line
    assert f"lost: {name} (" in report.describe(found)
    accepted = problem.rpartition('ACCEPT_LOST="')[2].partition('"')[0].split()
    assert name in accepted
    assert list(problem_of([*found.task, *found.rights], accepted)) == []


@pytest.mark.parametrize("row", table(__file__, "not lost"), ids=_name)
def test_what_has_a_counterpart_or_no_effect_stops_nothing(row: Mapping[str, Any]) -> None:
    found = plan(changed_state(row))
    assert (results(found)[_name(row)], found.problems) == (row["result"], [])
    assert row.get("proposes", {}).items() <= proposed(found).items()


def test_empty_properties_have_no_row() -> None:
    empty = {"volumesFrom": [], "linuxParameters": {"initProcessEnabled": False}, "privileged": False}
    assert plan(changed_state({"server": empty})).task == small_plan().task


def test_a_file_of_flags_keeps_them_and_one_without_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.yaml").write_text("automerge: true\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    variables = dict.fromkeys(("ATLANTIS_AUTOMERGE", "ATLANTIS_QUIET_POLICY_CHECKS"), "true")
    found = plan(changed_state({"variables": variables}), serverConfigFile="server.yaml")
    assert results(found)["ATLANTIS_AUTOMERGE"] == KEPT
    (problem,) = found.problems
    assert "ATLANTIS_QUIET_POLICY_CHECKS: add `quiet-policy-checks: true` to server.yaml" in problem
