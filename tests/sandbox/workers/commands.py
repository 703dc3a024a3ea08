"""Pull requests, workers and locks: what the tests of the stack with workers share."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.pull_requests import deliver
from sandbox.testbed import processes
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest, Store
from sandbox.testbed.local_aws.task_status import StatusFile, TaskRecord
from tests.sandbox.atlantis import pull_requests
from tests.sandbox.atlantis.local_service import OWNER, TABLE
from tests.sandbox.atlantis.pull_requests import comment, open_with_files, say

ACCOUNT, PREFIX = "210987654321", "states"
TEAM = {role: f"arn:aws:iam::123456789012:role/team-{role}" for role in ("plan", "apply")}
PLAN, APPLY = "Ran Plan for dir: `.`", "Ran Apply for dir: `.`"
# The backend of a plan waits for credentials, and then has those of the plan; that of `init` doesn't wait.
_SLOW = {
    "aws": "[profile slow]\ncredential_process = sh slow.sh\n",
    "slow.sh": "[ -e .terraform/terraform.tfstate ] && sleep {seconds}\n"
    'exec sh -c "$(sed -n \'s/^credential_process *= *//p\' "$AWS_CONFIG_FILE")"\n',
}


def state_of(name: str) -> str:
    """The key of a repository's state."""
    return f"{PREFIX}/{OWNER}/{name}/terraform.tfstate"


def project(key: str, *, extra: str = "", slow: int = 0) -> dict[str, str]:
    """A project whose state is ``key``. Each of its plans waits ``slow`` seconds, without using the CPU."""
    backend = 'shared_config_files = ["aws"]\n    profile = "slow"' if slow else ""
    more = {path: text.format(seconds=slow) for path, text in _SLOW.items()} if slow else {}
    return {"main.tf": pull_requests.project(key, backend=backend, extra=extra), **more}


def opened(
    service: DeployedService, github: Store, name: str, *, key: str = "", extra: str = "", slow: int = 0
) -> PullRequest:
    """Open a pull request that adds a resource; ``extra`` is one more line of its block. Its plan takes ``slow`` seconds."""
    files = project(key or state_of(name), extra=extra, slow=slow)
    pull = open_with_files(github, name, files, default_branch="main")
    assert deliver(service, "pull_request", events.pull_request(github, pull)).status == 200
    return pull


def planned(service: DeployedService, github: Store, name: str, *, key: str = "", extra: str = "") -> PullRequest:
    """Open a pull request, wait for its plan, and approve it."""
    pull = opened(service, github, name, key=key, extra=extra)
    plan = comment(github, pull, PLAN)
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in plan, plan
    github.approve(pull, "reviewer")
    return pull


def applied(service: DeployedService, github: Store, name: str, *, key: str = "", extra: str = "") -> str:
    """The comment on the apply of a new pull request."""
    pull = planned(service, github, name, key=key, extra=extra)
    say(service, pull, "atlantis apply")
    apply = comment(github, pull, APPLY)
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in apply, apply
    return apply


def container(service: DeployedService, name: str = "") -> processes.Process:
    """Process 1 of a container of the only task of a service: the one with the port, without a name."""
    wanted: Callable[[str], bool] = lambda each: each.endswith(f".{name}") if name else "." not in each  # noqa: E731
    (found,) = (process for process in service.processes() if wanted(process.name) and process.alive)
    return found


def workers(service: DeployedService, role: str) -> DeployedService:
    """The service of the workers of a role."""
    return service.sibling(f"-{role}")


def running(service: DeployedService) -> list[TaskRecord]:
    """The tasks of a service."""
    return [task for task in StatusFile(service.state, service.name).read().tasks if task.stopped_at is None]


def locks(service: DeployedService) -> list[dict[str, Any]]:
    """The locks of states; the digests of states are in the same table."""
    items = service.client("dynamodb").scan(TableName=TABLE)["Items"]
    return [item for item in items if not item["LockID"]["S"].endswith("-md5")]


def log_lines(service: DeployedService, name: str) -> list[dict[str, Any]]:
    """The lines of JSON in the logs of a container of all tasks of a service."""
    found = []
    for log in sorted((service.state / "logs").glob(f"{service.name}*.{name}.log")):
        lines = log.read_text(encoding="utf-8").splitlines()
        found += [json.loads(line) for line in lines if line.startswith("{")]
    return found
