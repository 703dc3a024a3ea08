"""`make pr` and git open, update and merge pull requests of a deployed Atlantis, without a test's help."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.pull_requests import PullRequests
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.github.store import Store
from tests.needs import needs
from tests.sandbox.atlantis.pull_requests import RESOURCE, when_idle
from tests.sandbox.atlantis.served import service_of
from tests.sandbox.harness import Scratch

pytestmark = needs("terraform")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    started = Scratch(tmp_path_factory.mktemp("by-hand"))
    started.deployed()
    started.with_server().up()
    yield started
    started.stop()


@pytest.fixture
def service(scratch: Scratch) -> DeployedService:
    return service_of(scratch.with_server())


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


def test_a_pull_request_is_opened_pushed_to_approved_applied_and_merged(
    scratch: Scratch, github: Store, tmp_path: Path
) -> None:
    (tmp_path / "main.tf").write_text('resource "terraform_data" "release" {}\n', encoding="utf-8")
    opened = scratch.cli("pr", "--from", str(tmp_path))
    assert opened.returncode == 0, opened.stderr
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in opened.stdout
    number = re.findall(r"NUMBER=(\d+)", opened.stderr)[0]
    (tmp_path / "other.tf").write_text('resource "terraform_data" "other" {}\n', encoding="utf-8")
    pushed = scratch.cli("pr", "--number", number, "--from", str(tmp_path))
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in pushed.stdout, pushed.stderr
    unchanged = scratch.cli("pr", "--number", number, "--from", str(tmp_path))
    assert (unchanged.returncode, "already; commit a change" in unchanged.stderr) == (1, True)
    applied = scratch.cli("pr", "--number", number, "--approve", "--comment", "atlantis apply", "--merge")
    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." in applied.stdout, applied.stderr
    again = scratch.cli("pr", "--number", number, "--merge")
    assert (again.returncode, f"#{number} is closed" in again.stderr) == (1, True)
    assert github.unexpected() == []


def test_a_push_with_git_is_announced_and_planned(github: Store, service: DeployedService, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        include = f"include.path={github.author_configuration}"
        identity = ("-c", "user.name=Author", "-c", "user.email=author@example.invalid")
        # The variable overrides the configuration.
        environment = {name: value for name, value in os.environ.items() if name != "GIT_SSL_CAINFO"}
        command = ["git", "-c", include, *identity, *arguments]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

    requests = PullRequests(service, github)
    repository = requests.repository("pushed")
    github.create_repository(repository, {"README.md": "Infrastructure\n"})
    pull = github.open_pull_request(repository, "change", {"main.tf": RESOURCE}, "Change")
    requests.planned(pull, seconds=120)
    git("clone", "--quiet", "--branch", "change", f"https://github.com/{repository}.git", ".")
    (tmp_path / "other.tf").write_text('resource "terraform_data" "other" {}\n', encoding="utf-8")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Other")
    before = len(requests.comments(pull))
    when_idle(service)
    git("push", "--quiet", "origin", "HEAD:change")
    (planned,) = requests.answer(pull, before, 120)
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in planned
    assert {delivery["result"] for delivery in github.recorded("deliveries")} == {"200"}
