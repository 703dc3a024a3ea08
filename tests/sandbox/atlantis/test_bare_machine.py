"""A machine without curl and terraform: Atlantis runs all the same, and a plan says what is missing."""

from pathlib import Path

import pytest

from sandbox.atlantis import lifecycle
from sandbox.commands.webhook import deliver
from sandbox.engine.workspace import clean_environment
from sandbox.github import events
from sandbox.github.store import Store
from tests.sandbox.atlantis.conftest import status
from tests.sandbox.atlantis.pull_requests import comment, open_pull_request
from tests.sandbox.atlantis.world import World


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the system's programs but without the two that the image brings along."""
    for folder in (Path("/usr/bin"), Path("/bin")):
        for program in folder.iterdir():
            link = tmp_path / program.name
            if program.name not in {"curl", "terraform"} and not link.is_symlink():
                link.symlink_to(program)
    return str(tmp_path)


def test_atlantis_runs_without_curl_and_a_plan_says_that_terraform_is_missing(world: World, bare_path: str) -> None:
    lifecycle.bring_up(world.deployment, {**clean_environment(), "PATH": bare_path}, patience=120)
    assert any("this machine has no curl and no terraform" in line for line in status(world).events)
    github = Store(world.deployment.state / "github")
    pull = open_pull_request(github, "infrastructure", "v1")
    assert deliver(world.deployment, "pull_request", events.pull_request(github, pull)).status == 200
    plan = comment(github, pull, "Ran Plan for dir: `.`")
    assert "There is no terraform on this machine, so the sandbox can't run" in plan
