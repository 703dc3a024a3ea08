"""The stack with workers, deployed once for all files of this folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.atlantis import lifecycle
from sandbox.attack.target import Target
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.github.store import Store
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.atlantis.local_service import OWNER
from tests.sandbox.atlantis.served import reachable_scratch, service_of
from tests.sandbox.workers.commands import ACCOUNT, PREFIX, TEAM


@pytest.fixture(scope="session")
def rules() -> Iterator[str]:
    """The path of the example's rules in the checkout, for the repositories here; without the workflow that needs conftest."""
    example = (CHECKOUT / "examples" / "isolated.yaml").read_text(encoding="utf-8")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=CHECKOUT / ".sandbox") as file:
        file.write(example.replace("my-organization", OWNER).replace("    workflow: checked\n", ""))
        file.flush()
        yield str(Path(file.name).relative_to(CHECKOUT))


@pytest.fixture(scope="session")
def isolated(rules: str) -> Iterator[Sandbox]:
    """The deployed stack: two workers for plans, states that are separated by repository, and roles for the repositories `team-*`."""
    with reachable_scratch() as scratch:
        sandbox = scratch.with_server(
            terraformIsolation="tasks",
            planWorkers="2",
            repoConfigFile=rules,
            terraformStatePrefixes=[f"{PREFIX}/{{repository}}/"],
            repositoryRoles=[f"{OWNER}/team-*={TEAM['plan']} {TEAM['apply']}"],
            assumableRoleArns=[f"arn:aws:iam::{ACCOUNT}:role/terraform"],
            planAssumableRoleArns=[f"arn:aws:iam::{ACCOUNT}:role/reader"],
        )
        sandbox.up()
        yield sandbox
        sandbox.down(force=True)


@pytest.fixture
def service(isolated: Sandbox) -> DeployedService:
    found = service_of(isolated)
    # Not only healthy once: the test before may have ended a task, or failed meanwhile.
    lifecycle.bring_up(found, clean_environment())
    return found


@pytest.fixture
def github(service: DeployedService) -> Store:
    return Store(service.state / "github")


@pytest.fixture(scope="session")
def target(isolated: Sandbox) -> Target:
    return Target.of(isolated)
