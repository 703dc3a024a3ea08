"""A machine without terraform and bwrap, on which Atlantis runs all the same, and one on which the task agent can't run."""

from pathlib import Path

import pytest

from sandbox.atlantis import early_start, lifecycle
from sandbox.pull_requests import deliver
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from tests.sandbox.atlantis.conftest import status
from tests.sandbox.atlantis.local_service import NAME, LocalService
from tests.sandbox.atlantis.pull_requests import comment, open_pull_request
from tests.sandbox.atlantis.waiting import eventually


def _path_without(folder: Path, missing: set[str]) -> str:
    """A PATH with the system's programs but those."""
    for programs in (Path("/usr/bin"), Path("/bin")):
        for program in programs.iterdir():
            link = folder / program.name
            if program.name not in missing and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@pytest.mark.parametrize("missing", [{"terraform"}, {"terraform", "bwrap"}], ids=["terraform", "bwrap"])
def test_atlantis_runs_and_a_plan_says_that_terraform_is_missing(
    local: LocalService, tmp_path: Path, missing: set[str]
) -> None:
    lifecycle.take_down(local.deployment)
    complete = clean_environment()
    environment = {**complete, "PATH": _path_without(tmp_path, missing)}
    lifecycle.bring_up(local.deployment, environment)
    said = status(local).events
    assert any("this machine has no terraform" in line for line in said)
    contained = not bubblewrap.why_not() and "bwrap" not in missing
    assert any("the task runs without containers: " in line for line in said) != contained
    github = Store(local.deployment.state / "github")
    pull = open_pull_request(github, f"infrastructure-{len(missing)}", "v1")
    assert deliver(local.deployment, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "There is no terraform on this machine, so the sandbox can't run" in plan
    # The tools are there now.
    assert any(
        line.startswith("Restarted the task agent") for line in lifecycle.prepare_and_start(local.deployment, complete)
    )
    assert lifecycle.prepare_and_start(local.deployment, complete) == []
    lifecycle.bring_up(local.deployment, complete)
    assert not any("no terraform" in line for line in status(local).events)
    assert lifecycle._lacking({**complete, "PATH": ""})[0].startswith("no terraform: plans fail (https://")


def test_an_agent_that_dies_ends_the_deployment_at_once(local: LocalService) -> None:
    lifecycle.take_down(local.deployment)
    local.deploy(local.register())
    deadly = {"PYTHONHOME": "/nowhere"}

    def rollout() -> str:
        described = local.aws.client("ecs").describe_services(cluster=NAME, services=[NAME])
        return described["services"][0]["deployments"][0]["rolloutState"]

    with early_start.during_up(local.deployment.state, local.aws, deadly):
        assert rollout() == "IN_PROGRESS"
        eventually("the end of the engine's wait", lambda: rollout() == "COMPLETED")
    with pytest.raises(SandboxError, match=r"The process that runs the task has ended; its log is .*task-agent"):
        lifecycle.bring_up(local.deployment, deadly)
