"""The outcome of an ECS deployment, read from ECS: what a service runs, what it waits for, and why its tasks stopped."""

import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
STEADY = "COMPLETED"
FAILED = "FAILED"


class Outcome(enum.Enum):
    """The status of a deployment."""

    IN_PROGRESS = enum.auto()
    SUCCEEDED = enum.auto()
    FAILED = enum.auto()
    ROLLED_BACK = enum.auto()
    """The service runs another task definition than the requested one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """The status of a deployment at one time, with reasons."""

    outcome: Outcome
    running: str
    """The task definition of the service's primary deployment."""
    waiting_for: tuple[str, ...]
    """Why the deployment is delayed; empty if the reason is unknown."""
    reasons: tuple[str, ...]
    """The failures so far, as ECS reports them."""


class EcsDeployment:
    """The deployment of `task_definition` in one service.

    `ecs` is a boto3 client. DescribeServices and UpdateService must be allowed. If ListTasks, DescribeTasks or
    GetTaskProtection isn't allowed, the reasons state the missing permission instead.
    """

    def __init__(self, ecs: Any, cluster: str, service: str, task_definition: str) -> None:
        self._ecs, self._cluster, self._service = ecs, cluster, service
        self._wanted = task_definition

    def look(self) -> Progress:
        """Read the current status from ECS."""
        service = self._describe()
        deployments: Sequence[Mapping[str, Any]] = service["deployments"]
        primary = next(item for item in deployments if item["status"] == "PRIMARY")
        outcome = self._outcome(service, primary)
        waiting = self._waiting_for(deployments) if outcome is Outcome.IN_PROGRESS else ()
        reasons = () if outcome is Outcome.SUCCEEDED else self._reasons(deployments)
        return Progress(
            outcome=outcome, running=primary["taskDefinition"], waiting_for=tuple(waiting), reasons=tuple(reasons)
        )

    def retry(self) -> None:
        """Deploy the task definition again, after its deployment failed or was rolled back."""
        self._ecs.update_service(
            cluster=self._cluster, service=self._service, taskDefinition=self._wanted, forceNewDeployment=True
        )

    def _describe(self) -> Mapping[str, Any]:
        found = self._ecs.describe_services(cluster=self._cluster, services=[self._service])["services"]
        if not found or found[0]["status"] != "ACTIVE":
            raise LookupError(f"ECS has no active service {self._service} in {self._cluster}")
        return found[0]

    def _outcome(self, service: Mapping[str, Any], primary: Mapping[str, Any]) -> Outcome:
        if primary["taskDefinition"] != self._wanted:
            return Outcome.ROLLED_BACK
        if primary.get("rolloutState") == FAILED:
            return Outcome.FAILED
        steady = primary.get("rolloutState") == STEADY and primary["runningCount"] >= service["desiredCount"]
        return Outcome.SUCCEEDED if steady else Outcome.IN_PROGRESS

    def _waiting_for(self, deployments: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """Protected tasks of earlier deployments, which ECS can't stop yet."""
        earlier = {item["id"] for item in deployments if item["status"] != "PRIMARY" and item["runningCount"]}
        if not earlier:
            return
        tasks = self._optional("ListTasks", self._tasks, "RUNNING")
        if isinstance(tasks, str):
            yield tasks
            return
        arns = [task["taskArn"] for task in tasks if task.get("startedBy") in earlier]
        if not arns:
            return
        answer = self._optional(
            "GetTaskProtection", self._ecs.get_task_protection, cluster=self._cluster, tasks=arns[:10]
        )
        if isinstance(answer, str):
            yield answer
            return
        for task in answer["protectedTasks"]:
            if task["protectionEnabled"]:
                until = f"{task['expirationDate']:%H:%M %Z}" if task.get("expirationDate") else "it is released"
                yield (
                    f"task {_id(task['taskArn'])} runs a plan or an apply and is protected until {until}, "
                    "longer if that continues; ECS stops it when it is done"
                )

    def _reasons(self, deployments: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for item in deployments:
            if item["taskDefinition"] == self._wanted and item.get("rolloutState") == FAILED:
                yield item.get("rolloutStateReason") or "the deployment failed"
        tasks = self._optional("ListTasks", self._tasks, "STOPPED")
        if isinstance(tasks, str):
            yield tasks
            return
        # Earlier deployments of the same task definition may have failed too. Only the current ones count.
        current = {item["id"] for item in deployments if item["taskDefinition"] == self._wanted}
        for task in tasks:
            if task["taskDefinitionArn"] == self._wanted and (not current or task.get("startedBy") in current):
                yield f"task {_id(task['taskArn'])} stopped: {_why_stopped(task)}"

    def _tasks(self, status: str) -> list[Mapping[str, Any]]:
        """The service's tasks. ECS lists stopped tasks for an hour."""
        arns = self._ecs.list_tasks(cluster=self._cluster, serviceName=self._service, desiredStatus=status)["taskArns"]
        if not arns:
            return []
        found = self._ecs.describe_tasks(cluster=self._cluster, tasks=arns[:100])["tasks"]
        return sorted(found, key=lambda task: str(task.get("stoppedAt", "")))

    def _optional(self, action: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The result of `call`, or a message if the permission for it is missing."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - a preview doesn't need it

        try:
            return call(*arguments, **named)
        except ClientError as error:
            if error.response["Error"]["Code"] in DENIED:
                return f"(why is not known here: the permission ecs:{action} is missing)"
            raise


def _why_stopped(task: Mapping[str, Any]) -> str:
    details = [
        f"container {container['name']}: {'; '.join(said)}"
        for container in task.get("containers", [])
        if (said := list(_said(container)))
    ]
    return " · ".join([task.get("stoppedReason") or "no reason given", *details])


def _said(container: Mapping[str, Any]) -> Iterator[str]:
    if container.get("exitCode"):
        yield f"exit code {container['exitCode']}"
    if container.get("reason"):
        yield container["reason"]


def _id(arn: str) -> str:
    return arn.rpartition("/")[2][:8]
