"""The protection of a task that nobody renews or that is removed; pull requests of the deployed stacks show the rest."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from sandbox.atlantis import lifecycle
from sandbox.testbed.engine.workspace import clean_environment
from tests.sandbox.atlantis.conftest import eventually, status
from tests.sandbox.atlantis.local_service import NAME, LocalService


def _protect(local: LocalService, *, enabled: bool = True, minutes: int = 30) -> str:
    """Set or remove the protection of the running task; the task."""
    task = status(local).task
    assert task is not None
    answer = local.aws.client("ecs").update_task_protection(
        cluster=NAME, tasks=[task], protectionEnabled=enabled, **({"expiresInMinutes": minutes} if enabled else {})
    )
    assert answer["failures"] == []
    return task


def _wait_for_the_wait(local: LocalService, before: int) -> None:
    # Other events, such as a health check's, may follow this one.
    eventually("the wait", lambda: any("is protected" in line for line in status(local).events[before:]))


def test_a_protection_that_nobody_renews_runs_out(running: LocalService) -> None:
    task = _protect(running, minutes=1)
    stored = running.deployment.state / "task" / "protections.json"
    left = json.loads(stored.read_text())[task] - time.time()
    assert 30 < left <= 60
    # As if most of a minute were over, and long enough for the deployment to meet it.
    stored.write_text(json.dumps({task: time.time() + 10}))
    before = len(status(running).events)
    running.deploy(running.register())
    _wait_for_the_wait(running, before)
    assert status(running).task == task
    lifecycle.bring_up(running.deployment, clean_environment())
    assert status(running).task != task


def test_a_smaller_count_waits_as_well(running: LocalService) -> None:
    definition = status(running).definition
    assert definition is not None
    _protect(running)
    before = len(status(running).events)
    running.deploy(definition, count=0)
    _wait_for_the_wait(running, before)
    _protect(running, enabled=False)
    eventually("the end of the task", lambda: status(running).state == "idle")


@pytest.mark.parametrize("minutes", [0, 2881])
def test_a_protection_lasts_from_a_minute_to_two_days(local: LocalService, minutes: int) -> None:
    client = local.aws.client("ecs")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        client.update_task_protection(cluster=NAME, tasks=["0" * 32], protectionEnabled=True, expiresInMinutes=minutes)
