"""How many pull requests workers plan at once: the time, the spread over the workers, and the memory of the server's task."""

import secrets
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandbox.atlantis.agent import GITHUB_DIRECTORY, PLAN
from sandbox.pull_requests import deliver, sample_repository
from sandbox.sandbox import Sandbox
from sandbox.testbed import processes
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from sandbox.testbed.sampling import kibibytes, sampled
from tests.sandbox.workers.commands import PREFIX, project

PULL_REQUESTS = 150
_WORKERS = (2, 4)
_DELIVERIES_AT_ONCE = 16
_SECONDS_EACH, _SECONDS = 10.0, 120.0
_WAITS = 15
"""How long each plan waits, as one for AWS does: two cores can't show what more workers compute at once."""


@dataclass(frozen=True)
class Run:
    """One run: its seconds, the plans of each worker, the server's memory at its most, and the pull requests without a plan."""

    workers: int
    seconds: float
    by_worker: dict[str, int]
    server_mib: float
    unplanned: list[str]


def measure(state: Path, counts: Sequence[int] = _WORKERS) -> list[Run]:
    """Deploy a stack with workers for plans, and plan `PULL_REQUESTS` at once with each number of workers."""
    sandbox = Sandbox(state=state, policy_pack=None, settings={"atlantis:terraformIsolation": "tasks"})
    runs = []
    for count in counts:
        sandbox.settings["atlantis:planWorkers"] = str(count)
        sandbox.up()
        service = sandbox.service()
        assert service is not None
        runs.append(plans_at_once(service, Store(service.state / GITHUB_DIRECTORY), PULL_REQUESTS, _WAITS))
    return runs


def plans_at_once(service: DeployedService, store: Store, count: int, slow: int = 0) -> Run:
    """Open ``count`` pull requests in separate repositories, deliver their events at once, and wait for all comments.

    Each plan waits ``slow`` seconds.
    """
    mark = f"many-{secrets.token_hex(3)}"
    variables = service.variables(service.require_service().definition)
    owner = sample_repository(variables["ATLANTIS_REPO_ALLOWLIST"]).rpartition("/")[0]
    pulls = []
    for number in range(count):
        repository = f"{owner}/{mark}-{number}"
        store.create_repository(repository, {"README.md": "One of many.\n"}, default_branch="main")
        files = project(f"{PREFIX}/{repository}/terraform.tfstate", slow=slow)
        pulls.append(store.open_pull_request(repository, "change", files, "Change"))
    workers = service.sibling(PLAN)
    before = _plans(workers, mark)
    started = time.monotonic()
    with sampled(lambda: _server_mib(service), seconds=0.5) as samples:
        with ThreadPoolExecutor(_DELIVERIES_AT_ONCE) as pool:
            bodies = [events.pull_request(store, pull) for pull in pulls]
            statuses = list(pool.map(lambda body: deliver(service, "pull_request", body).status, bodies))
        if set(statuses) != {200}:
            raise RuntimeError(f"events were answered with {Counter(statuses)}")
        said: dict[str, str] = {}
        while len(said) < count and time.monotonic() - started < _SECONDS + count * _SECONDS_EACH:
            time.sleep(0.5)
            said = {
                item["repository"]: item["body"]
                for item in store.recorded("comments")
                if f"/{mark}-" in item["repository"]
            }
    seconds = time.monotonic() - started
    unplanned = [
        f"{pull.repository}: {said.get(pull.repository, 'no comment')[:300]}"
        for pull in pulls
        if "Plan: 1 to add" not in said.get(pull.repository, "")
    ]
    by_worker = _plans(workers, mark) - before
    return Run(workers.require_service().desired_count, seconds, dict(by_worker), max(samples), unplanned)


def _plans(workers: DeployedService, mark: str) -> Counter[str]:
    """The plans that each worker has begun."""
    found: Counter[str] = Counter()
    for log in (workers.state / "logs").glob(f"{workers.name}*.executor.log"):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        found[log.name] = sum(f"/{mark}-" in line and '"plan"' in line and '"start"' in line for line in lines)
    return found


def _server_mib(service: DeployedService) -> float:
    """The memory of all processes of the server's task; shared pages count once (PSS)."""
    found = {process.pid for process in service.processes()}
    found |= {pid for process in list(found) for pid in processes.descendants(process)}
    return sum(kibibytes(pid, "smaps_rollup", "Pss") for pid in found) / 1024
