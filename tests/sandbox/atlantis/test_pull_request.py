"""A pull request makes the real Terraform plan and apply under the task role's own credentials."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from components.compute.ecs_deployment import EcsDeployment, Outcome
from components.compute.task_protection import LOOK_EVERY
from sandbox.atlantis import lifecycle
from sandbox.pull_requests import deliver
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from tests.needs import needs
from tests.sandbox.atlantis.conftest import eventually, fetch, open_websocket, status
from tests.sandbox.atlantis.local_service import BUCKET, NAME, TABLE, LocalService, create_lock_table, variable
from tests.sandbox.atlantis.pull_requests import comment, open_pull_request, operations_of, say

pytestmark = needs("terraform")


@pytest.fixture(scope="module")
def backend(local: LocalService) -> LocalService:
    """The state bucket and the lock table that the task role is allowed, and a bucket that it is not."""
    for bucket in (BUCKET, "somebody-elses-state"):
        local.aws.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": local.aws.region}
        )
    create_lock_table(local.aws.client("dynamodb"))
    return local


def _state(local: LocalService) -> dict[str, Any]:
    answer = local.aws.client("s3").get_object(Bucket=BUCKET, Key="infrastructure/terraform.tfstate")
    return json.loads(answer["Body"].read())


def test_a_plan_arrives_as_a_comment_and_its_apply_is_kept_in_the_state_bucket(
    backend: LocalService, running: LocalService, github: Store
) -> None:
    pull = open_pull_request(github, "infrastructure", "v1")
    assert deliver(running.deployment, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "# terraform_data.release will be created" in plan, plan
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan, plan
    assert "Plan Error" not in plan, plan

    say(running.deployment, pull, "atlantis apply")
    apply = comment(github, pull, "Ran Apply for dir: `.`")
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in apply, apply
    assert [resource["name"] for resource in _state(backend)["resources"]] == ["release"]

    items = backend.aws.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert [item["LockID"]["S"] for item in items] == [f"{BUCKET}/infrastructure/terraform.tfstate-md5"]
    assert "+1" not in {reaction["content"] for reaction in github.recorded("reactions")}
    eventually(
        "the status of the apply",
        lambda: ("atlantis/apply", "success") in {(s["context"], s["state"]) for s in github.recorded("statuses")},
    )
    assert github.unexpected() == []


@pytest.mark.usefixtures("backend")
def test_a_browser_follows_the_output_of_a_plan(running: LocalService, github: Store) -> None:
    before = len(github.recorded("statuses"))
    pull = open_pull_request(github, "followed", "v1")
    deliver(running.deployment, "pull_request", events.pull_request(github, pull))
    comment(github, pull, "Ran Plan for dir: `.`")
    links = [entry["target_url"] for entry in github.recorded("statuses")[before:]]
    job = next(path for link in links if (path := urlsplit(link).path).startswith("/jobs/"))
    root = f"http://127.0.0.1:{status(running).proxy_port}"
    assert fetch(root + job)[0] == 200

    code, output = open_websocket(root, f"{job}/ws")

    with output:
        assert code == 101
        assert b"1 to add, 0 to change, 0 to destroy." in output.read()


def test_terraform_is_refused_what_the_task_role_does_not_allow(
    backend: LocalService, running: LocalService, github: Store
) -> None:
    pull = open_pull_request(github, "stray", "v1", bucket="somebody-elses-state")
    assert deliver(running.deployment, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "Plan Error" in plan, plan
    assert "AccessDenied" in plan or "StatusCode: 403" in plan, plan
    listing = backend.aws.client("s3").list_objects_v2(Bucket="somebody-elses-state")
    assert listing["KeyCount"] == 0


def test_an_apply_that_runs_when_a_deployment_comes_is_finished_by_the_old_task(
    backend: LocalService, running: LocalService, github: Store
) -> None:
    slow = 'provisioner "local-exec" {\n    command = "sleep 4"\n  }'
    pull = open_pull_request(github, "slow", "v1", extra=slow)
    deliver(running.deployment, "pull_request", events.pull_request(github, pull))
    comment(github, pull, "Ran Plan for dir: `.`")
    say(running.deployment, pull, "atlantis apply")
    eventually("the apply", lambda: operations_of(running.deployment) == 1)
    old = status(running).task
    running.deploy(running.register(variable("ATLANTIS_LOG_LEVEL", "warn")))
    lifecycle.bring_up(running.deployment, clean_environment())
    assert status(running).task != old
    apply = comment(github, pull, "Ran Apply for dir: `.`")
    assert "Apply complete! Resources: 1 added" in apply, apply
    locks = [item["LockID"]["S"] for item in backend.aws.client("dynamodb").scan(TableName=TABLE)["Items"]]
    assert f"{BUCKET}/slow/terraform.tfstate" not in locks


def _protection(local: LocalService, task: str | None) -> dict[str, Any]:
    answer = local.aws.client("ecs").get_task_protection(cluster=NAME, tasks=[task])
    assert answer["failures"] == []
    return answer["protectedTasks"][0]


def _protect(local: LocalService, task: str, minutes: int = 30) -> bool:
    """Whether a protection stays: the container that renews it releases at its first look what it finds."""
    client = local.aws.client("ecs")
    client.update_task_protection(cluster=NAME, tasks=[task], protectionEnabled=True, expiresInMinutes=minutes)
    time.sleep(2 * LOOK_EVERY)
    return _protection(local, task)["protectionEnabled"]


def _deployment(local: LocalService, definition: str) -> EcsDeployment:
    return EcsDeployment(local.aws.client("ecs"), NAME, NAME, definition)


def _stop_at_once(container: dict[str, Any]) -> None:
    container["stopTimeout"] = 2


def test_a_deployment_waits_for_the_end_of_an_apply_that_is_longer_than_the_stop_timeout(
    backend: LocalService, running: LocalService, github: Store
) -> None:
    running.deploy(running.register(_stop_at_once, protected=True))
    lifecycle.bring_up(running.deployment, clean_environment())
    long = 'provisioner "local-exec" {\n    command = "sleep 20"\n  }'
    pull = open_pull_request(github, "long", "v1", extra=long)
    deliver(running.deployment, "pull_request", events.pull_request(github, pull))
    comment(github, pull, "Ran Plan for dir: `.`")
    old = status(running)
    assert old.task is not None
    # The plan's own protection could be taken for the apply's, and end before the apply begins.
    eventually("the end of the plan's", lambda: not _protection(running, old.task)["protectionEnabled"])
    say(running.deployment, pull, "atlantis apply")
    eventually("the protection of the apply", lambda: _protection(running, old.task)["protectionEnabled"])

    new = running.register(protected=True)
    running.deploy(new)
    progress = eventually("the wait", lambda: (now := _deployment(running, new).look()).waiting_for and now)
    assert progress.outcome is Outcome.IN_PROGRESS
    assert f"task {old.task[:8]} runs a plan or an apply" in progress.waiting_for[0]
    assert status(running).task == old.task
    lifecycle.bring_up(running.deployment, clean_environment())
    apply = comment(github, pull, "Ran Apply for dir: `.`")
    assert "Apply complete! Resources: 1 added" in apply, apply
    locks = [item["LockID"]["S"] for item in backend.aws.client("dynamodb").scan(TableName=TABLE)["Items"]]
    assert f"{BUCKET}/long/terraform.tfstate" not in locks
    assert status(running).task != old.task
    assert status(running).definition == new
    assert _deployment(running, new).look().outcome is Outcome.SUCCEEDED
    steps = [line.partition(" ")[2] for line in status(running).events]
    waited = f"task {old.task[:8]} is protected because operations are in progress: ECS stops it when they have ended"
    assert steps.index(waited) < steps.index(f"stopping task {old.task[:8]}: a new deployment replaces it")


def test_a_protection_that_nobody_renews_runs_out(running: LocalService) -> None:
    task = status(running).task
    assert task is not None
    eventually("a protection that stays", lambda: _protect(running, task, minutes=1))
    stored = running.deployment.state / "task" / "protections.json"
    left = json.loads(stored.read_text())[task] - time.time()
    assert 30 < left <= 60
    # As if most of a minute were over, and long enough for the deployment to meet it.
    stored.write_text(json.dumps({task: time.time() + 20}))
    before = len(status(running).events)
    running.deploy(running.register(protected=True))
    eventually("the wait", lambda: any("is protected" in line for line in status(running).events[before:]))
    assert status(running).task == task
    lifecycle.bring_up(running.deployment, clean_environment())
    assert status(running).task != task


def test_a_smaller_count_waits_as_well(running: LocalService) -> None:
    task, definition = status(running).task, status(running).definition
    assert task is not None
    assert definition is not None
    client = running.aws.client("ecs")
    eventually("a protection that stays", lambda: _protect(running, task))
    before = len(status(running).events)
    running.deploy(definition, count=0)
    # Other events, such as a health check's, may follow this one.
    eventually("the wait", lambda: any("is protected" in line for line in status(running).events[before:]))
    client.update_task_protection(cluster=NAME, tasks=[task], protectionEnabled=False)
    eventually("the end of the task", lambda: status(running).state == "idle")


@pytest.mark.parametrize(("minutes", "code"), [(0, "InvalidParameterException"), (2881, "InvalidParameterException")])
def test_a_protection_lasts_from_a_minute_to_two_days(running: LocalService, minutes: int, code: str) -> None:
    client = running.aws.client("ecs")
    with pytest.raises(ClientError, match=code):
        client.update_task_protection(cluster=NAME, tasks=["0" * 32], protectionEnabled=True, expiresInMinutes=minutes)
