"""The workers that ECS runs, as ECS itself reports them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from isolation import aws

__all__ = ["Fleet"]

_PAGE = 100
"""Tasks of one call."""


class Fleet:
    """The tasks of services in one cluster.

    Args:
        cluster: its name.
        port: the workers' port.
        region: the region.
        session: returns the credentials of the server's task role.
    """

    def __init__(self, cluster: str, port: int, region: str, session: Callable[[], aws.Session]) -> None:
        self._cluster, self._port, self._region, self._session = cluster, port, region, session

    def workers(self, service: str) -> dict[str, str]:
        """The addresses of the service's tasks that run and are healthy, by the task's ID.

        Raises:
            aws.AwsError: ECS denies it, doesn't answer, or answers something else.
        """
        try:
            return {task["taskArn"].rpartition("/")[2]: address for task, address in self._tasks(service) if address}
        except (KeyError, TypeError, AttributeError) as problem:
            raise aws.AwsError(f"the answer of ecs can't be read: {problem!r}") from problem

    def is_alone(self, service: str) -> bool:
        """Whether one task of the service runs; False if ECS doesn't answer."""
        try:
            return len(list(self._arns(service))) == 1
        except (aws.AwsError, KeyError, TypeError, AttributeError):
            return False

    def _tasks(self, service: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        arns = list(self._arns(service))
        for start in range(0, len(arns), _PAGE):
            asked = {"cluster": self._cluster, "tasks": arns[start : start + _PAGE]}
            for task in self._call("DescribeTasks", asked)["tasks"]:
                yield task, self._address(task)

    def _arns(self, service: str) -> Iterator[str]:
        asked: dict[str, Any] = {"cluster": self._cluster, "serviceName": service, "desiredStatus": "RUNNING"}
        while True:
            answer = self._call("ListTasks", asked)
            yield from answer["taskArns"]
            if not answer.get("nextToken"):
                return
            asked["nextToken"] = answer["nextToken"]

    def _address(self, task: Mapping[str, Any]) -> str:
        """Empty for a task that takes no commands."""
        states = task.get("lastStatus"), task.get("desiredStatus"), task.get("healthStatus")
        if states != ("RUNNING", "RUNNING", "HEALTHY"):
            return ""
        details = {
            detail["name"]: detail["value"]
            for attachment in task.get("attachments", ())
            for detail in attachment.get("details", ())
        }
        found = details.get("privateIPv4Address")
        return f"{found}:{self._port}" if found else ""

    def _call(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        target = f"AmazonEC2ContainerServiceV20141113.{operation}"
        return aws.call(self._session(), "ecs", self._region, target, asked)
