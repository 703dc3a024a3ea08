"""The deployment check: what ECS answers, as boto3 hands it over, and how `up` ends for it."""

import asyncio
import datetime
from collections.abc import Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from components.compute.deployment_check import DeploymentError, follow
from components.compute.ecs_deployment import EcsDeployment, Outcome, Progress

REGION, ACCOUNT = "ap-northeast-2", "123456789012"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/atlantis-prod"
SERVICE = "atlantis-prod"
OLD, NEW = (f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/atlantis-prod:{revision}" for revision in (7, 8))
NOON = datetime.datetime(2026, 11, 25, 12, 0, tzinfo=datetime.UTC)


class Ecs:
    """A boto3 client of ECS whose answers are set beforehand, in the shapes of the API."""

    def __init__(self) -> None:
        self.client = boto3.client("ecs", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b")
        self.stubber = Stubber(self.client)
        self.stubber.activate()

    def services(self, *deployments: dict[str, Any], desired: int = 1) -> None:
        service = {
            "serviceName": SERVICE,
            "status": "ACTIVE",
            "desiredCount": desired,
            "deployments": list(deployments),
        }
        asked = {"cluster": CLUSTER, "services": [SERVICE]}
        self.stubber.add_response("describe_services", {"services": [service]}, asked)

    def tasks(self, status: str, *tasks: dict[str, Any]) -> None:
        arns = [task["taskArn"] for task in tasks]
        asked = {"cluster": CLUSTER, "serviceName": SERVICE, "desiredStatus": status}
        self.stubber.add_response("list_tasks", {"taskArns": arns}, asked)
        if tasks:
            self.stubber.add_response("describe_tasks", {"tasks": list(tasks)}, {"cluster": CLUSTER, "tasks": arns})

    def look(self) -> Progress:
        progress = EcsDeployment(self.client, CLUSTER, SERVICE, NEW).look()
        self.stubber.assert_no_pending_responses()
        return progress


@pytest.fixture
def ecs() -> Ecs:
    return Ecs()


def deployment(status: str, definition: str, state: str, *, running: int = 1, reason: str = "") -> dict[str, Any]:
    return {
        "id": f"ecs-svc/{definition[-1]}",
        "status": status,
        "taskDefinition": definition,
        "rolloutState": state,
        "rolloutStateReason": reason,
        "runningCount": running,
    }


def task(number: int, definition: str = NEW, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/atlantis-prod/{number:032x}"
    return {"taskArn": arn, "taskDefinitionArn": definition, "startedBy": f"ecs-svc/{definition[-1]}", **more}


def test_a_completed_deployment_of_the_definition_succeeds(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "COMPLETED"))
    assert ecs.look() == Progress(outcome=Outcome.SUCCEEDED, running=NEW, waiting_for=(), reasons=())


def test_a_completed_deployment_whose_task_has_gone_meanwhile_is_still_in_progress(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "COMPLETED", running=0))
    ecs.tasks("STOPPED")
    assert ecs.look().outcome is Outcome.IN_PROGRESS


def test_another_definition_is_a_rollback_with_ecs_own_reasons(ecs: Ecs) -> None:
    ecs.services(
        deployment("PRIMARY", OLD, "IN_PROGRESS"),
        deployment("ACTIVE", NEW, "FAILED", running=0, reason="ECS deployment circuit breaker: tasks failed to start."),
    )
    pull = "CannotPullContainerError: failed to resolve ref atlantis:v9: not found"
    ended = {"name": "atlantis", "exitCode": 1, "reason": "OutOfMemoryError"}
    ecs.tasks(
        "STOPPED",
        task(1, OLD, stoppedReason="Scaling activity initiated by deployment", stoppedAt=NOON),
        task(3, stoppedReason="Essential container in task exited", stoppedAt=NOON, containers=[ended]),
        task(2, stoppedReason=pull, stoppedAt=NOON - datetime.timedelta(minutes=1)),
        # Of a deployment of the same definition that is over.
        {**task(4, stoppedReason="Task failed container health checks", stoppedAt=NOON), "startedBy": "ecs-svc/0"},
    )
    assert ecs.look() == Progress(
        outcome=Outcome.ROLLED_BACK,
        running=OLD,
        waiting_for=(),
        reasons=(
            "ECS deployment circuit breaker: tasks failed to start.",
            f"task 00000000 stopped: {pull}",
            "task 00000000 stopped: Essential container in task exited · container atlantis: exit code 1; OutOfMemoryError",
        ),
    )


def test_a_failure_with_nothing_to_roll_back_to_is_one_too(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "FAILED", running=0, reason="tasks failed to start."))
    ecs.tasks("STOPPED")
    assert ecs.look() == Progress(
        outcome=Outcome.FAILED, running=NEW, waiting_for=(), reasons=("tasks failed to start.",)
    )


def test_a_protected_task_of_the_old_deployment_is_what_it_waits_for(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "IN_PROGRESS", running=0), deployment("ACTIVE", OLD, "COMPLETED"))
    old = task(1, OLD)
    ecs.tasks("RUNNING", old)
    protected = {"taskArn": old["taskArn"], "protectionEnabled": True, "expirationDate": NOON}
    ecs.stubber.add_response(
        "get_task_protection", {"protectedTasks": [protected]}, {"cluster": CLUSTER, "tasks": [old["taskArn"]]}
    )
    ecs.tasks("STOPPED")
    progress = ecs.look()
    assert progress.outcome is Outcome.IN_PROGRESS
    assert len(progress.waiting_for) == 1
    assert "task 00000000 runs a plan or an apply and is protected until 12:00 UTC" in progress.waiting_for[0]


def test_a_missing_permission_costs_the_reasons_only(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "FAILED", running=0, reason="tasks failed to start."))
    ecs.stubber.add_client_error("list_tasks", "AccessDeniedException")
    assert ecs.look().reasons == (
        "tasks failed to start.",
        "(why is not known here: the permission ecs:ListTasks is missing)",
    )


def test_any_other_refusal_is_not_hidden(ecs: Ecs) -> None:
    ecs.services(deployment("PRIMARY", NEW, "FAILED", running=0))
    ecs.stubber.add_client_error("list_tasks", "ServerException")
    with pytest.raises(Exception, match="ServerException"):
        ecs.look()


class Scripted(EcsDeployment):
    """Shows one progress after the other, the last one for ever."""

    def __init__(self, *shown: Progress) -> None:
        super().__init__(None, CLUSTER, SERVICE, NEW)
        self._shown, self.retries = list(shown), 0

    def look(self) -> Progress:
        return self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]

    def retry(self) -> None:
        self.retries += 1


def progress(
    outcome: Outcome, *, running: str = NEW, waiting_for: Sequence[str] = (), reasons: Sequence[str] = ()
) -> Progress:
    return Progress(outcome=outcome, running=running, waiting_for=tuple(waiting_for), reasons=tuple(reasons))


class Followed:
    """One run of `follow`, and what it said."""

    def __init__(self, *shown: Progress) -> None:
        self.deployment, self.said, self.warned = Scripted(*shown), list[str](), list[str]()

    def run(self, *, started_now: bool = True, seconds: float = 60) -> None:
        asyncio.run(
            follow(
                self.deployment,
                wanted=NEW,
                started_now=started_now,
                seconds=seconds,
                say=self.said.append,
                warn=self.warned.append,
                every=0,
            )
        )


def test_a_wait_says_what_it_waits_for_and_each_reason_once() -> None:
    waiting = progress(Outcome.IN_PROGRESS, waiting_for=["task 1 is protected"], reasons=["task 2 stopped: no image"])
    followed = Followed(waiting, waiting, waiting, progress(Outcome.SUCCEEDED))
    followed.run()
    assert followed.said == ["waiting: task 1 is protected"]
    assert followed.warned == ["atlantis-prod:8: task 2 stopped: no image"]
    assert followed.deployment.retries == 0


def test_a_rollback_fails_with_the_reasons_and_the_way_out() -> None:
    followed = Followed(
        progress(Outcome.IN_PROGRESS),
        progress(Outcome.ROLLED_BACK, running=OLD, reasons=["task 2 stopped: CannotPullContainerError"]),
    )
    with pytest.raises(DeploymentError) as failure:
        followed.run()
    assert str(failure.value).splitlines() == [
        "atlantis-prod:8 does not run: ECS rolled the service back to atlantis-prod:7.",
        "  task 2 stopped: CannotPullContainerError",
        "Fix the cause and run `pulumi up` again, which deploys atlantis-prod:8 again if nothing else has changed.",
    ]
    assert followed.deployment.retries == 0


def test_a_failure_of_this_run_is_not_tried_again() -> None:
    followed = Followed(progress(Outcome.FAILED))
    with pytest.raises(DeploymentError, match="nothing to roll back to"):
        followed.run()
    assert followed.deployment.retries == 0


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ROLLED_BACK])
def test_what_ecs_gave_up_on_in_an_earlier_run_is_deployed_again(outcome: Outcome) -> None:
    followed = Followed(progress(outcome, running=OLD), progress(Outcome.IN_PROGRESS), progress(Outcome.SUCCEEDED))
    followed.run(started_now=False)
    assert followed.deployment.retries == 1
    assert followed.said == ["ECS had given up on atlantis-prod:8 and runs atlantis-prod:7: deploying it again"]


def test_what_stopped_before_this_run_is_not_reported_again() -> None:
    earlier, now = "task 1 stopped: no image", "task 2 stopped: no secret"
    followed = Followed(
        progress(Outcome.FAILED, reasons=[earlier]),
        progress(Outcome.IN_PROGRESS, reasons=[earlier]),
        progress(Outcome.IN_PROGRESS, reasons=[earlier, now]),
        progress(Outcome.FAILED, reasons=[earlier, now]),
    )
    with pytest.raises(DeploymentError) as failure:
        followed.run(started_now=False)
    assert followed.warned == [f"atlantis-prod:8: {now}"]
    assert earlier not in str(failure.value)
    assert now in str(failure.value)


def test_a_deployment_that_does_not_end_fails_within_the_time() -> None:
    waiting = progress(Outcome.IN_PROGRESS, waiting_for=["task 1 is protected"])
    followed = Followed(waiting)
    with pytest.raises(DeploymentError) as failure:
        followed.run(seconds=0.2)
    assert "atlantis:deploymentTimeoutMinutes" in str(failure.value)
    assert "waiting: task 1 is protected" in str(failure.value)
