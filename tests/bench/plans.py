"""How long Atlantis takes from a comment to the plan, with Terraform in the server's container and in workers."""

import dataclasses
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox.atlantis.agent import WORKERS
from sandbox.attack.pull_requests import HARMLESS, opened
from sandbox.attack.target import Target
from sandbox.samples import managed_service
from sandbox.sandbox import Sandbox
from sandbox.testbed import processes, terraform_provider
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest
from tests.sandbox.atlantis.pull_requests import when_idle

_REPEATS = 5
_SECONDS = 120.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """The seconds of a plan of ``what``, and those that the tasks computed, by the value of `terraformIsolation`.

    The second figure doesn't depend on what else this machine does.
    """

    what: str
    seconds: dict[str, float]
    cpu_seconds: dict[str, float]


def why_not() -> str:
    """Why plans can't be measured on this machine; empty if they can."""
    return bubblewrap.why_not()


def measure(state: Path) -> list[Plan]:
    """Deploy one stack, measure, change it to isolated Terraform, and measure again."""
    plans: dict[str, Plan] = {}
    for isolation in ("none", "tasks"):
        sandbox = Sandbox(state=state, policy_pack=None, settings={"atlantis:terraformIsolation": isolation})
        sandbox.up()
        target = Target.of(sandbox)
        for what, files in _repositories(target).items():
            pull = opened(target, f"bench-{isolation}", files)
            # The first one clones the repository, and installs providers.
            wall, cpu = zip(*list(_times(target, pull))[1:], strict=True)
            plan = plans.setdefault(what, Plan(what, {}, {}))
            plan.seconds[isolation], plan.cpu_seconds[isolation] = statistics.median(wall), statistics.median(cpu)
    return list(plans.values())


def _repositories(target: Target) -> dict[str, Mapping[str, str]]:
    many = {f"files/{number // 100}/{number}.txt": f"{number}\n" * 100 for number in range(3000)}
    found: dict[str, Mapping[str, str]] = {
        "a small project": {"main.tf": HARMLESS},
        "a small project in a repository of 3,000 files": {"main.tf": HARMLESS, **many},
    }
    if terraform_provider.find():
        found["the sample, with the official provider"] = managed_service.files(
            target.deployment, target.repository("bench"), "bench"
        )
    return found


def containers(service: DeployedService) -> Iterator[processes.Process]:
    """Process 1 of each container of the tasks of the server and of the workers."""
    for each in (service, *map(service.sibling, WORKERS)):
        yield from each.processes()


def computed(service: DeployedService) -> float:
    """The CPU seconds of the tasks' containers so far, with those of the processes that they have waited for."""
    total = 0
    for process in containers(service):
        # After the program's name in parentheses: user and system time, own and of waited children.
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def _times(target: Target, pull: PullRequest) -> Iterator[tuple[float, float]]:
    for _ in range(_REPEATS + 1):
        before = len(target.requests.comments(pull))
        started, before_cpu = time.perf_counter(), computed(target.deployment)
        target.deliver("issue_comment", events.comment(pull, "atlantis plan"))
        while len(target.requests.comments(pull)) == before:
            if time.perf_counter() - started > _SECONDS:
                raise TimeoutError(f"{pull.repository}: no plan within {_SECONDS:g} s")
            time.sleep(0.005)
        yield time.perf_counter() - started, computed(target.deployment) - before_cpu
        if "Plan: " not in (said := target.requests.comments(pull)[-1]):
            raise RuntimeError(f"{pull.repository} wasn't planned: {said[:300]}")
        when_idle(target.deployment)
