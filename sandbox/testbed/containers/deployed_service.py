"""The deployed service as the local ECS describes it, and clients of the local AWS."""

import dataclasses
import datetime
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.testbed import processes
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.local_aws import ROOT_KEY, clients


@dataclass(frozen=True)
class Credentials:
    """An access key with its session token; ``expires`` is None for a key that doesn't expire."""

    access_key: str
    secret_key: str
    token: str | None = None
    expires: datetime.datetime | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key})"


ROOT = Credentials(ROOT_KEY, ROOT_KEY)


@dataclass(frozen=True)
class Service:
    """The current configuration of the ECS service.

    ``deployment`` is the ID of the primary deployment. It changes with every change of the task definition and with
    every forced deployment. ``grace_seconds`` is the health check grace period, during which ECS ignores failures of
    the load balancer's health check. ``target_group`` is None without a load balancer.
    """

    deployment: str
    definition: str
    desired_count: int
    target_group: str | None
    minimum_healthy_percent: int
    maximum_percent: int
    circuit_breaker: bool
    rollback: bool
    grace_seconds: int

    @property
    def running_bounds(self) -> tuple[int, int]:
        """The least number of healthy tasks and the most running ones during a deployment."""
        least = math.ceil(self.desired_count * self.minimum_healthy_percent / 100)
        return least, self.desired_count * self.maximum_percent // 100

    @property
    def overlaps(self) -> bool:
        """Whether a deployment starts the new task before it stops the old one."""
        return self.minimum_healthy_percent == 100 and self.maximum_percent >= 200


@dataclass(frozen=True)
class DeployedService:
    """The location of a deployed service: the state folder, the local AWS, and the names of cluster and service."""

    state: Path
    endpoint: str
    region: str
    cluster: str
    name: str
    _clients: dict[tuple[str, Credentials, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def task_names(self) -> Iterator[str]:
        """Names of a task's process and of its log; a task that starts uses the first one that no running task has."""
        yield self.name
        yield from (f"{self.name}-{number}" for number in itertools.count(2))

    def processes(self) -> list[processes.Process]:
        """The recorded processes of the service's tasks: process 1 of each container."""
        own = re.compile(rf"{re.escape(self.name)}(-\d+)?(\..+)?")
        return [process for process in processes.recorded(self.state) if own.fullmatch(process.name)]

    def stop_processes(self, patience: float) -> bool:
        """Stop the processes that a killed agent left running; returns whether one ran."""
        stopped = [
            process for process in self.processes() if processes.stop(self.state, process.name, patience=patience)
        ]
        return bool(stopped)

    def sibling(self, suffix: str) -> "DeployedService":
        """The service of the same cluster whose name ends in ``suffix``."""
        return dataclasses.replace(self, name=f"{self.name}{suffix}")

    def client(self, service: str, credentials: Credentials = ROOT, region: str = "") -> Any:
        """Return a boto3 client of ``service`` with ``credentials``, which sends requests only to the local AWS.

        Without a ``region``, it is the stack's.
        """
        key = (service, credentials, region or self.region)
        if key not in self._clients:
            self._clients[key] = self._new_client(*key)
        return self._clients[key]

    def _new_client(self, service: str, credentials: Credentials, region: str) -> Any:
        return clients.create(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token,
            config=Config(retries={"total_max_attempts": 3}, proxies={}),
        )

    def assume(self, role: str, session: str) -> Credentials:
        """Assume ``role``, as the ECS service does for a task; raises ``TaskStartError`` if the role can't be assumed."""
        try:
            answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
        except ClientError as problem:
            raise TaskStartError(
                f"ECS can't assume {role} ({refusal(problem)}): the role must exist and its trust policy must allow "
                "ecs-tasks.amazonaws.com"
            ) from problem
        return Credentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
        )

    def service(self) -> Service | None:
        """Describe the service; returns None if no active one exists."""
        try:
            found = self.client("ecs").describe_services(cluster=self.cluster, services=[self.name])["services"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] == "ClusterNotFoundException":
                return None
            raise
        active = [service for service in found if service["status"] == "ACTIVE"]
        return _service(active[0]) if active else None

    def task_definition(self, arn: str) -> dict[str, Any]:
        """The task definition ``arn``, as ECS describes it."""
        return self.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]

    def variables(self, definition: str) -> dict[str, str]:
        """Return the environment variables in the task definition ``definition``, without its secrets."""
        containers = self.task_definition(definition)["containerDefinitions"]
        return {item["name"]: item["value"] for container in containers for item in container.get("environment", [])}

    def require_service(self) -> Service:
        """Describe the service; raises ``SandboxError`` if no active one exists."""
        service = self.service()
        if service is None:
            raise SandboxError(f"There is no service {self.name} in the local AWS; `make up` deploys it")
        return service

    def is_protected(self, task: str) -> bool:
        """Whether ``task`` has scale-in protection; False for a task that ECS doesn't know.

        ECS doesn't stop a protected task for a deployment or a smaller desired count.
        """
        answer = self.client("ecs").get_task_protection(cluster=self.cluster, tasks=[task])
        return any(item["protectionEnabled"] for item in answer["protectedTasks"])

    def roll_back(self, definition: str) -> None:
        """Update the service to the earlier task definition ``definition``, as the deployment circuit breaker does."""
        self.client("ecs").update_service(cluster=self.cluster, service=self.name, taskDefinition=definition)


def refusal(problem: ClientError) -> str:
    """Return the error code and the message of a failed call in one line."""
    error = problem.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def _service(described: dict[str, Any]) -> Service:
    balancers = described.get("loadBalancers", [])
    if len(balancers) > 1:
        raise SandboxError(
            f"The service {described['serviceName']} has {len(balancers)} target groups; the sandbox runs a service with one"
        )
    balancer = balancers[0] if balancers else {}
    configuration = described["deploymentConfiguration"]
    breaker = configuration.get("deploymentCircuitBreaker", {})
    primary = next(item for item in described["deployments"] if item["status"] == "PRIMARY")
    return Service(
        deployment=primary["id"],
        definition=described["taskDefinition"],
        desired_count=described["desiredCount"],
        target_group=balancer.get("targetGroupArn"),
        minimum_healthy_percent=configuration["minimumHealthyPercent"],
        maximum_percent=configuration["maximumPercent"],
        circuit_breaker=breaker.get("enable", False),
        rollback=breaker.get("rollback", False),
        grace_seconds=described.get("healthCheckGracePeriodSeconds") or 0,
    )
