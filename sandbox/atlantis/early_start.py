"""Starts the task while the engine is deploying, so that `pulumi up` reports the outcome of the service deployment."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.atlantis import build, lifecycle
from sandbox.testbed import console
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_json
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.local_aws.task_status import EXPECTED, RECORDS
from sandbox.testbed.paths import private_directory
from sandbox.testbed.processes import start_time

_SEARCH_SECONDS = 0.3


@contextmanager
def during_up(state: Path, aws: LocalAws, environment: Mapping[str, str]) -> Iterator[None]:
    """Run the task as soon as its service exists in ``aws``."""
    build.executable()
    expected = private_directory(state / RECORDS) / EXPECTED
    # The file identifies this process: if the process is killed, no task starts, and the engine must not wait for one.
    write_json(expected, {"pid": os.getpid(), "started": start_time(os.getpid())})
    starting = _Starting(state, aws, environment, expected)
    try:
        yield
    finally:
        starting.end()


class _Starting:
    """A thread that waits for the service, does the operator's steps before the first task, and starts the agent.

    A step that fails is retried. ``lifecycle.after_up`` repeats the steps after the deployment and reports failures.
    """

    def __init__(self, state: Path, aws: LocalAws, environment: Mapping[str, str], expected: Path) -> None:
        self._state, self._aws, self._environment, self._expected = state, aws, environment, expected
        self._done: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="early-start", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop waiting, and print the completed steps now that the engine no longer writes to the terminal."""
        self._ending.set()
        self._thread.join()
        for line in self._done:
            console.step(line)

    def _run(self) -> None:
        try:
            self._start_agent()
        finally:
            # If no agent runs, or it dies, the engine would wait until its timeout.
            self._expected.unlink(missing_ok=True)

    def _start_agent(self) -> None:
        while not self._ending.wait(_SEARCH_SECONDS):
            try:
                service = self._service()
                if service is not None:
                    self._done += lifecycle.prepare_and_start(service, self._environment)
                    return
            except (BotoCoreError, ClientError, SandboxError):
                continue

    def _service(self) -> DeployedService | None:
        """Find the service by Atlantis' variables, because a first deployment has no outputs with its name yet."""
        client = self._aws.client("ecs")
        for cluster in client.list_clusters()["clusterArns"]:
            for arn in client.list_services(cluster=cluster)["serviceArns"]:
                names = cluster.rpartition("/")[2], arn.rpartition("/")[2]
                found = DeployedService(self._state, self._aws.endpoint, self._aws.region, *names)
                service = found.service()
                # The workers have no load balancer.
                if (
                    service
                    and service.target_group
                    and any(key.startswith("ATLANTIS_") for key in found.variables(service.definition))
                ):
                    return found
        return None
