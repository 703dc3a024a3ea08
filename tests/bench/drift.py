"""What a detection of drift costs with the real server: the time of a run, the memory of the task, and the calls of APIs."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox.atlantis.agent import GITHUB_DIRECTORY
from sandbox.commands import preflight
from sandbox.pull_requests import sample_repository
from sandbox.sandbox import Sandbox
from sandbox.testbed import processes
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github.store import Store
from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.sampling import kibibytes, sampled
from tests.bench.plans import computed, containers

PROJECTS = (5, 50)
_SAMPLE_SECONDS = 0.2
_PROJECT = """\
terraform {{
  backend "s3" {{
    bucket         = "{bucket}"
    key            = "{name}/terraform.tfstate"
    region         = "{region}"
    dynamodb_table = "{table}"
    encrypt        = true
  }}
}}

resource "terraform_data" "release" {{}}
"""


@dataclass(frozen=True)
class Run:
    """One run: its seconds, those that the task computed, the memory of the tasks in MiB before the run and at its peak, and the calls.

    ``github`` counts calls of the REST API, ``git`` requests of git, and ``aws`` calls with credentials of a role.
    """

    projects: int
    requests: str
    """How the agent asked the server: for all projects in one request, or for each in its own."""
    seconds: float
    cpu_seconds: float
    idle_memory: float
    peak_memory: float
    github: int
    git: int
    aws: int


def measure(state: Path, counts: Sequence[int] = PROJECTS) -> list[Run]:
    """Deploy a stack that watches a repository, and detect drift twice for each number of its projects.

    Nothing is applied, so every project has drifted. The agent learns the projects from the first run.

    Args:
        state: the folder for the sandbox, which the caller takes down.
        counts: numbers of projects, ascending.
    """
    sandbox = Sandbox(state=state, policy_pack=None)
    source = sandbox.workspace.source_settings(sandbox.stack)
    repository = sample_repository(source["atlantis:repoAllowlist"], "watched")
    sandbox.settings = {
        "atlantis:terraformIsolation": "tasks",
        "atlantis:driftProjects": [repository],
        "atlantis:driftEveryHours": 84,
    }
    sandbox.up()
    service = sandbox.service()
    assert service is not None
    store = Store(service.state / GITHUB_DIRECTORY)
    store.create_repository(repository, {"README.md": "A repository of projects.\n"})
    place = {
        "bucket": source["atlantis:terraformStateBuckets"][0],
        "table": source["atlantis:terraformLockTables"][0],
        "region": service.region,
    }
    runs = []
    for count in counts:
        names = [f"project-{number:03}" for number in range(count)]
        files = {f"{name}/main.tf": _PROJECT.format(name=name, **place) for name in names}
        store.commit(repository, "main", files, f"{count} projects")
        runs += [_run(sandbox, service, store, count, how) for how in ("one for all", "one for each")]
    return runs


def _run(sandbox: Sandbox, service: DeployedService, store: Store, projects: int, requests: str) -> Run:
    cpu, idle = computed(service), _memory(service)
    github, decisions = len(store.recorded("requests")), _decisions(service)
    with sampled(partial(_memory, service), seconds=_SAMPLE_SECONDS) as samples:
        answer = subprocess.run(
            preflight.command("preflight.drift", sandbox, as_json=True),
            cwd=CHECKOUT,
            env=sandbox.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    events = json.loads(answer.stdout or "[]")
    ended = [event for event in events if event["event"] == "drift-run"]
    if not ended or ended[0]["drifted"] != projects:
        raise RuntimeError(f"not every one of {projects} projects has drifted:\n{answer.stdout}{answer.stderr}")
    calls = store.recorded("requests")[github:]
    git = sum(".git/" in call["path"] for call in calls)
    return Run(
        projects=projects,
        requests=requests,
        seconds=ended[0]["seconds"],
        cpu_seconds=computed(service) - cpu,
        idle_memory=idle,
        peak_memory=max(samples),
        github=len(calls) - git,
        git=git,
        aws=_decisions(service) - decisions,
    )


def _decisions(service: DeployedService) -> int:
    log = service.state / "local-aws" / "iam-decisions.jsonl"
    with log.open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)


def _memory(service: DeployedService) -> float:
    """MiB of all processes of the task's containers; shared pages count once (PSS)."""
    found = {process.pid for process in containers(service)}
    found |= {pid for process in list(found) for pid in processes.descendants(process)}
    return sum(kibibytes(pid, "smaps_rollup", "Pss") for pid in found) / 1024
