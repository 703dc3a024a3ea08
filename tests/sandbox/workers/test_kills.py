"""What ends while a command runs, and what the pull request says of it: the server, a worker, a deployment."""

import os
import signal
import time

from sandbox.atlantis import lifecycle
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github.store import PullRequest, Store
from tests.needs import needs, needs_containers
from tests.sandbox.atlantis.conftest import eventually
from tests.sandbox.atlantis.pull_requests import comment, say
from tests.sandbox.workers.commands import APPLY, container, locks, log_lines, opened, planned, running, workers

pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]

_SLOW = 'provisioner "local-exec" {{\n command = "echo it began; sleep {seconds}; echo it ended"\n }}'


def _applying(service: DeployedService, github: Store, name: str, seconds: int) -> PullRequest:
    """A pull request whose apply has begun to run its provisioner."""
    pull = planned(service, github, name, extra=_SLOW.format(seconds=seconds))
    say(service, pull, "atlantis apply")
    eventually("the state's lock", lambda: locks(service))
    eventually("the command in the worker", lambda: _commands(service, "apply", pull, "start"))
    time.sleep(2)
    return pull


def _commands(service: DeployedService, role: str, pull: PullRequest, event: str) -> list[str]:
    """The commands of a role that have begun or ended for a pull request."""
    lines = log_lines(workers(service, role), "executor")
    return [
        each["command"] for each in lines if each.get("repository") == pull.repository and each.get("event") == event
    ]


def _comments(github: Store, pull: PullRequest) -> list[str]:
    return [item["body"] for item in github.recorded("comments") if item["repository"] == pull.repository]


def _commented(github: Store, pull: PullRequest, *parts: str) -> str:
    """Wait for a comment with all parts."""

    def found() -> str | None:
        return next((each for each in _comments(github, pull) if all(part in each for part in parts)), None)

    return eventually(f"a comment with {parts}", found)


def test_an_apply_outlives_its_server_and_the_next_one_comments_its_result(
    service: DeployedService, github: Store
) -> None:
    pull, before = _applying(service, github, "server-killed", 20), {task.id for task in running(service)}
    os.kill(container(service).pid, signal.SIGKILL)
    said = _commented(github, pull, "has succeeded", "its worker continued")
    assert "it ended" in said, said
    assert "Apply complete! Resources: 1 added" in said, said
    assert _commands(service, "apply", pull, "start").count("apply") == 1
    assert not locks(service)
    assert not before & {task.id for task in running(service)}


def test_a_deployment_of_server_and_workers_waits_for_an_apply(service: DeployedService, github: Store) -> None:
    pull = _applying(service, github, "deployed", 40)
    both = (service, workers(service, "apply"))
    before = {task.id for each in both for task in running(each)}

    def are_protected() -> bool:
        return all(each.is_protected(task.id) for each in both for task in running(each))

    eventually("the protection", are_protected)
    for each in both:
        each.client("ecs").update_service(cluster=each.cluster, service=each.name, forceNewDeployment=True)
    # Without the protection, the server would get its signal at once.
    time.sleep(6)
    assert before <= {task.id for each in both for task in running(each) if task.wanted}
    assert "Apply complete!" in comment(github, pull, APPLY)
    lifecycle.bring_up(service, clean_environment())
    eventually("the new tasks", lambda: not before & {task.id for each in both for task in running(each)})


def test_a_plan_whose_server_ends_is_ended_at_once(service: DeployedService, github: Store) -> None:
    pull = opened(service, github, "plan-of-killed", slow=900)
    eventually("the plan", lambda: "plan" in _commands(service, "plan", pull, "start"))
    os.kill(container(service).pid, signal.SIGKILL)
    eventually("its end", lambda: "plan" in _commands(service, "plan", pull, "end"))


def test_an_apply_whose_worker_ends_says_what_may_remain_and_does_not_start_again(
    service: DeployedService, github: Store
) -> None:
    pull = _applying(service, github, "worker-killed", 900)
    for name in ("executor", "agent", ""):
        os.kill(container(workers(service, "apply"), name).pid, signal.SIGKILL)
    said = comment(github, pull, APPLY)
    assert "a part may have been applied" in said, said
    assert "force-unlock" in said, said
    assert _commands(service, "apply", pull, "start").count("apply") == 1
    lifecycle.bring_up(service, clean_environment())
    # As the comment says, nothing else releases it.
    for lock in locks(service):
        service.client("dynamodb").delete_item(TableName="local-terraform-locks", Key={"LockID": lock["LockID"]})
