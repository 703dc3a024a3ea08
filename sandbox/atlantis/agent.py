"""The process that replaces Fargate: it runs the GitHub stand-in, the task, and the reverse proxy for a browser.

``sandbox.atlantis.lifecycle`` starts it as ``python -m sandbox.atlantis.agent``. On SIGTERM, it deregisters the target
and stops the task within its stop timeout before it exits.
"""

import argparse
import queue
import signal
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.atlantis import build, locking_database
from sandbox.atlantis.container import TaskNetwork, free_port
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
from sandbox.testbed.local_aws.task_status import StatusFile

__all__ = ["BROWSER_DIRECTORY", "GITHUB_DIRECTORY", "main"]

BROWSER_DIRECTORY = "browser"
"""The folder of the reverse proxy's certificate, in the state folder."""
GITHUB_DIRECTORY = "github"
_POLL_SECONDS = 0.5
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
        scheduler = Scheduler(deployment, launcher, StatusFile(deployment.state, deployment.name))
        if launcher.clear_leftovers(_LEFTOVER_SECONDS):
            scheduler.say("stopped a task that an earlier agent had left running")
        if launcher.without_containers:
            scheduler.say(f"the task runs without containers: {launcher.without_containers}")
        if launcher.missing_tools:
            scheduler.say(f"this machine has no {' and no '.join(launcher.missing_tools)}; a stand-in takes its place")
        proxy = None
        try:
            while not _comes(ending, _POLL_SECONDS):
                proxy = proxy or _open_proxy(deployment, scheduler)
                scheduler.tick()
        finally:
            scheduler.close()
            locking_database.stop(deployment.state)
            if proxy:
                proxy.close()


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
        certificates = issue(deployment.state / BROWSER_DIRECTORY, (balancer.host,))
        port = free_port(scheduler.status.proxy_port or 0)
        proxy = ReverseProxy(balancer, deployment.client("elbv2"), port, certificates)
    except (BotoCoreError, ClientError, SandboxError) as problem:
        scheduler.say_once(f"there is no address for a browser yet: {problem}")
        return None
    scheduler.announce(proxy.port)
    return proxy


if __name__ == "__main__":
    main()
