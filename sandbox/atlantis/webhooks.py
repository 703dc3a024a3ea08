"""Deliveries of GitHub's events to the deployed Atlantis, as GitHub makes them."""

import threading

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.atlantis.operator import read_task_secrets
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.targets import Response, entrance
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store

_SECRET_VARIABLE = "ATLANTIS_GH_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable


def deliver(deployment: DeployedService, event: str, body: bytes, *, signed: bool = True) -> Response:
    """Send ``body`` as ``event`` to the deployed load balancer's HTTPS listener, signed with the deployed secret."""
    secret = None
    if signed:
        service = deployment.require_service()
        described = deployment.task_definition(service.definition)
        secret = read_task_secrets(deployment, described, [_SECRET_VARIABLE])[_SECRET_VARIABLE]
    return entrance(deployment).request("POST", "/events", headers=events.headers(event, body, secret), body=body)


class Deliveries:
    """Delivers what happens at the stand-in of GitHub by a push or by its API, and records each delivery there."""

    def __init__(self, deployment: DeployedService, store: Store) -> None:
        self._deployment, self._store = deployment, store

    def __call__(self, event: str, body: bytes) -> None:
        """Deliver without waiting for the answer, as GitHub does."""
        threading.Thread(target=self._deliver, args=(event, body), name="github-delivery", daemon=True).start()

    def _deliver(self, event: str, body: bytes) -> None:
        try:
            result = str(deliver(self._deployment, event, body).status)
        except (BotoCoreError, ClientError, OSError, SandboxError) as problem:
            result = str(problem)
        self._store.record("deliveries", {"event": event, "result": result})
