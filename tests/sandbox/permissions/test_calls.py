"""What the task's role and the execution role may do: every call made with the role's own credentials."""

from pathlib import Path

import pytest
import yaml

from tests.sandbox.permissions.calls import BY_DEFAULT, BY_STATEMENT, Actor, Call, call

CALLS: dict[str, list[Call]] = {
    table: [call(purpose, target, **parameters) for purpose, target, parameters in rows]
    for table, rows in yaml.safe_load(Path(__file__).with_name("calls.yaml").read_text(encoding="utf-8")).items()
}


@pytest.mark.parametrize("wanted", CALLS["of_others"], ids=str)
def test_task_can_not_touch_what_terraform_does_not_manage(task: Actor, wanted: Call):
    refusal = task.refusal(wanted)
    assert BY_DEFAULT in refusal or BY_STATEMENT in refusal


@pytest.mark.parametrize("wanted", CALLS["its_work"], ids=str)
def test_task_can_do_its_work(task: Actor, wanted: Call):
    assert task.refusal(wanted) == ""


@pytest.mark.parametrize("wanted", CALLS["atlantis_itself"], ids=str)
def test_task_can_not_touch_atlantis_itself(task: Actor, wanted: Call):
    assert BY_STATEMENT in task.refusal(wanted)


@pytest.mark.parametrize("wanted", CALLS["access_log"], ids=str)
def test_task_has_no_access_to_the_load_balancers_log(task: Actor, wanted: Call):
    assert BY_DEFAULT in task.refusal(wanted)


@pytest.mark.parametrize("wanted", CALLS["to_start"], ids=str)
def test_execution_role_can_start_the_task(starter: Actor, wanted: Call):
    assert starter.refusal(wanted) == ""


@pytest.mark.parametrize("wanted", CALLS["not_to_start"], ids=str)
def test_execution_role_can_do_nothing_else(starter: Actor, wanted: Call):
    refusal = starter.refusal(wanted)
    assert BY_DEFAULT in refusal or BY_STATEMENT in refusal
