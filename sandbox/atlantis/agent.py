"""The process that replaces Fargate: it runs the GitHub stand-in, the tasks, and the reverse proxy for a browser.

``sandbox.atlantis.lifecycle`` starts it as ``python -m sandbox.atlantis.agent``. On SIGTERM, it deregisters the target
and stops the server's task, then those of the workers, within their stop timeouts.
"""

import argparse
import queue
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.atlantis import build, locking_database
from sandbox.atlantis.container import TaskNetwork
from sandbox.atlantis.launcher import Launcher
from sandbox.atlantis.scheduler import Scheduler
from sandbox.atlantis.webhooks import Deliveries
from sandbox.testbed.certificates import issue
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.containers.reverse_proxy import ReverseProxy
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.server import GitHub
from sandbox.testbed.github.store import Store
from sandbox.testbed.local_aws.task_status import StatusFile, agent_name
from sandbox.testbed.ports import free_port

_BROWSER_DIRECTORY = "browser"
"""The folder of the reverse proxy's certificate, in the state folder."""
GITHUB_DIRECTORY = "github"
PLAN, APPLY = WORKERS = ("-plan", "-apply")
"""What follows the name of the server's service in those of the workers'."""
_POLL_SECONDS, _WORKERS_POLL_SECONDS = 0.5, 1.0
_SEARCH_SECONDS = 2.0
_LEFTOVER_SECONDS = 30.0


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="sandbox.atlantis.agent")
    parser.add_argument("--state", type=Path, required=True)
    for option in ("endpoint", "region", "cluster", "name"):
        parser.add_argument(f"--{option}", required=True)
    deployment = DeployedService(**vars(parser.parse_args()))
    # A SimpleQueue is reentrant; the interrupted thread may hold the lock of a threading.Event.
    ending: queue.SimpleQueue[None] = queue.SimpleQueue()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.put(None)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    directory = deployment.state / GITHUB_DIRECTORY
    with GitHub(directory, Deliveries(deployment, Store(directory))) as github:
        network = TaskNetwork(deployment.endpoint, deployment.region, github.proxy_url, github.certificates.bundle)
        launcher = Launcher(deployment, build.executable(), network, github.certificates)
        name = agent_name(deployment.name)
        scheduler = Scheduler(deployment, launcher, StatusFile(deployment.state, deployment.name), name)
        locking_database.stop(deployment.state)
        if launcher.clear_leftovers(_LEFTOVER_SECONDS):
            scheduler.say("stopped a task that an earlier agent had left running")
        if launcher.without_containers:
            scheduler.say(f"the task runs without containers: {launcher.without_containers}")
        if not launcher.has_terraform:
            scheduler.say("this machine has no terraform: plans fail")
        proxy, workers = None, _Workers(deployment, launcher, lambda: ending.put(None))
        try:
            while not _comes(ending, _POLL_SECONDS):
                proxy = proxy or _open_proxy(deployment, scheduler)
                workers.search()
                scheduler.tick()
        finally:
            # The server waits for its commands, which run in the workers.
            scheduler.close()
            workers.close()
            locking_database.stop(deployment.state)
            if proxy:
                proxy.close()


class _Workers:
    """The schedulers of the workers' services, each in a thread, from the time that its service exists."""

    def __init__(self, deployment: DeployedService, launcher: Launcher, failed: Callable[[], None]) -> None:
        self._launchers = {suffix: launcher.of(deployment.sibling(suffix)) for suffix in WORKERS}
        self._deployment, self._failed = deployment, failed
        self._running: dict[str, tuple[Scheduler, threading.Thread]] = {}
        self._ending = threading.Event()
        self._next_search = 0.0
        for each in self._launchers.values():
            each.clear_leftovers(_LEFTOVER_SECONDS)

    def search(self) -> None:
        """Start the scheduler of each service that exists now."""
        if time.monotonic() < self._next_search or len(self._running) == len(WORKERS):
            return
        self._next_search = time.monotonic() + _SEARCH_SECONDS
        for suffix, launcher in self._launchers.items():
            service = self._deployment.sibling(suffix)
            if suffix not in self._running and _exists(service):
                file = StatusFile(service.state, service.name)
                scheduler = Scheduler(service, launcher, file, agent_name(self._deployment.name))
                thread = threading.Thread(target=self._run, args=[scheduler], name=f"scheduler{suffix}", daemon=True)
                self._running[suffix] = scheduler, thread
                thread.start()

    def close(self) -> None:
        """Stop all workers."""
        self._ending.set()
        for scheduler, thread in self._running.values():
            thread.join()
            scheduler.close()

    def _run(self, scheduler: Scheduler) -> None:
        try:
            while not self._ending.wait(_WORKERS_POLL_SECONDS):
                scheduler.tick()
        except BaseException:
            self._failed()
            raise


def _exists(service: DeployedService) -> bool:
    try:
        return service.service() is not None
    except (BotoCoreError, ClientError):
        return False


def _comes(ending: "queue.SimpleQueue[None]", seconds: float) -> bool:
    try:
        ending.get(timeout=seconds)
    except queue.Empty:
        return False
    return True


def _open_proxy(deployment: DeployedService, scheduler: Scheduler) -> ReverseProxy | None:
    """Start the reverse proxy if the service and its load balancer exist; otherwise return None."""
    try:
        if deployment.service() is None:
            return None
        balancer = entrance(deployment)
        certificates = issue(deployment.state / _BROWSER_DIRECTORY, (balancer.host,))
        port = free_port(scheduler.status.proxy_port or 0)
        proxy = ReverseProxy(balancer, deployment.client("elbv2"), port, certificates)
    except (BotoCoreError, ClientError, SandboxError) as problem:
        scheduler.say_once(f"there is no address for a browser yet: {problem}")
        return None
    scheduler.announce(proxy.port)
    return proxy


if __name__ == "__main__":
    main()
