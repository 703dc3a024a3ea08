"""The deployed stack as the target of the attacks: its load balancer, its GitHub, and clients for its AWS account."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.atlantis.agent import GITHUB_DIRECTORY
from sandbox.atlantis.operator import read_task_secrets
from sandbox.pull_requests import PullRequests, deliver
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import Credentials, DeployedService
from sandbox.testbed.containers.targets import LoadBalancer, Response, entrance
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store


@dataclass(frozen=True)
class Target:
    """The stack to attack. ``outputs`` are the stack's outputs."""

    sandbox: Sandbox
    deployment: DeployedService
    github: Store
    outputs: Mapping[str, Any]
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    opened: list[PullRequest] = field(default_factory=list, repr=False, compare=False)
    """The pull requests that attacks have opened."""
    _locks: dict[str, threading.Lock] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, sandbox: Sandbox) -> "Target":
        """The deployed stack of ``sandbox``; raises ``SandboxError`` if it isn't deployed."""
        deployment = sandbox.service()
        if deployment is None:
            raise SandboxError("The stack isn't deployed. Run `make up` to deploy it")
        return cls(sandbox, deployment, Store(deployment.state / GITHUB_DIRECTORY), sandbox.outputs())

    @property
    def load_balancer(self) -> LoadBalancer:
        """The deployed load balancer, under the host name of Atlantis' URL."""
        return entrance(self.deployment)

    @property
    def task_definition(self) -> dict[str, Any]:
        """The task definition that the service runs, as ECS describes it."""
        return self.deployment.task_definition(self.deployment.require_service().definition)

    @property
    def isolated(self) -> bool:
        """Whether Terraform runs in workers."""
        return self.once("isolated", lambda: self.deployment.sibling("-plan").service() is not None)

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret that ECS injects for the server, by variable, read as the execution role.

        Secrets of `secretEnvironment` are for plans and excluded. Their names can't begin with `ATLANTIS_`.
        """
        described = self.task_definition
        names = [
            secret["name"]
            for container in described["containerDefinitions"]
            for secret in container.get("secrets", [])
            if secret["name"].startswith("ATLANTIS_") or secret["name"] == "WORKERS_KEY"
        ]
        return self.once("secrets", lambda: read_task_secrets(self.deployment, described, names))

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """The result of the first call of ``make``, so that an attempt and its control use the same plan."""
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]

    @property
    def requests(self) -> PullRequests:
        """The pull requests of the deployed server."""
        return PullRequests(self.deployment, self.github)

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """A boto3 client for the stack's AWS account, with ``credentials`` or as the account's root."""
        return self.deployment.client(service, credentials) if credentials else self.deployment.client(service)

    def deliver(self, event: str, body: bytes, *, signed: bool = True) -> Response:
        """Send a webhook to the deployed load balancer, signed with the deployed secret."""
        return deliver(self.deployment, event, body, signed=signed)

    def close_pull_requests(self) -> list[str]:
        """Close the opened pull requests, so that Atlantis discards their locks and plans. Returns those that it kept."""
        kept = []
        while self.opened:
            pull = self.opened.pop()
            answer = self.deliver("pull_request", events.pull_request(self.github, pull, "closed"))
            if answer.status != 200:
                kept.append(f"{pull.repository}#{pull.number} ({answer.status})")
        return kept

    def repository(self, name: str) -> str:
        """A repository for the row ``name`` that the allowlist allows, as ``owner/name``."""
        return self.requests.repository(name)
