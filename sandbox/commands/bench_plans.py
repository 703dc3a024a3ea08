"""How long Atlantis takes from a comment to the plan, with Terraform in the server's container and in containers of its own."""

import dataclasses
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox import terraform_provider
from sandbox.atlantis import bubblewrap
from sandbox.attack.pull_requests import HARMLESS, opened
from sandbox.attack.target import Target
from sandbox.github import events
from sandbox.github.store import PullRequest
from sandbox.samples import managed_service
from sandbox.sandbox import Sandbox

__all__ = ["Plan", "measure", "why_not"]

_REPEATS = 5
_SECONDS = 120.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """The seconds of a plan of ``what``, by the value of `terraformIsolation`."""

    what: str
    seconds: dict[str, float]


def why_not() -> str:
    """Why plans can't be measured on this machine; empty if they can."""
    return bubblewrap.why_not()


def measure(state: Path) -> list[Plan]:
    """Deploy one stack, measure, change it to isolated Terraform, and measure again."""
    plans: dict[str, dict[str, float]] = {}
    for isolation in ("none", "containers"):
        sandbox = Sandbox(state=state, policy_pack=None, settings={"atlantis:terraformIsolation": isolation})
        sandbox.up()
        target = Target.of(sandbox)
        for what, files in _repositories(target).items():
            pull = opened(target, f"bench-{isolation}", files)
            times = list(_times(target, pull))
            # The first one clones the repository, and installs providers.
            plans.setdefault(what, {})[isolation] = statistics.median(times[1:])
    return [Plan(what, seconds) for what, seconds in plans.items()]


def _repositories(target: Target) -> dict[str, Mapping[str, str]]:
    many = {f"files/{number // 100}/{number}.txt": f"{number}\n" * 100 for number in range(3000)}
    found: dict[str, Mapping[str, str]] = {
        "a small project": {"main.tf": HARMLESS},
        "a small project in a repository of 3,000 files": {"main.tf": HARMLESS, **many},
    }
    if terraform_provider.find():
        found["the sample, with the official provider"] = managed_service.files(target.deployment, "bench")
    return found


def _times(target: Target, pull: PullRequest) -> Iterator[float]:
    for _ in range(_REPEATS + 1):
        before = len(target.comments(pull.repository, pull.number))
        started = time.perf_counter()
        target.deliver("issue_comment", events.comment(pull, "atlantis plan"))
        while len(target.comments(pull.repository, pull.number)) == before:
            if time.perf_counter() - started > _SECONDS:
                raise TimeoutError(f"{pull.repository}: no plan within {_SECONDS:g} s")
            time.sleep(0.005)
        yield time.perf_counter() - started
        if "Plan: " not in (said := target.comments(pull.repository, pull.number)[-1]):
            raise RuntimeError(f"{pull.repository} wasn't planned: {said[:300]}")
        # Atlantis holds the pull request for a moment after its comment.
        time.sleep(0.5)
