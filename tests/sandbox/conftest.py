"""Sandboxes for the end-to-end tests, each in a separate folder and stopped at the end."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from sandbox.testbed import local_aws
from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.local_aws import LocalAws
from tests.sandbox.harness import Scratch


@pytest.fixture(scope="session", autouse=True)
def _engine(request: pytest.FixtureRequest) -> None:
    """The engine, before any test: building it takes minutes, and its progress must not be captured meanwhile."""
    # What is installed on a machine must not decide what the tests find; ATLANTIS_SANDBOX_ENGINE=installed tests just that.
    os.environ.setdefault(installation.CHOICE, "pinned")
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        try:
            installation.locate()
        except SandboxError as error:
            pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session", autouse=True)
def _shapes(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.getbasetemp()
    Scratch.shapes = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shapes"


class _ByDeployment(LoadFileScheduling):
    """Gives a worker a file at a time, and the whole folder whose files share a deployed stack."""

    def _split_scope(self, nodeid: str) -> str:
        folder, _, _ = nodeid.partition("/test_")
        return folder if folder.endswith("/workers") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Distribute the tests so that nothing is deployed twice."""
    return _ByDeployment(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest piece that isn't divided, which would otherwise run alone at the end."""
    items.sort(key=lambda item: "/workers/" not in item.nodeid)


def _scratch(folder: Path, stack: str = "local") -> Iterator[Scratch]:
    scratch = Scratch(folder, stack)
    yield scratch
    scratch.stop()


@pytest.fixture(scope="module")
def module_scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """An empty scratch folder for the local stack that the tests of a module share."""
    yield from _scratch(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """An empty scratch folder for the production stack that the tests of a module share."""
    yield from _scratch(tmp_path_factory.mktemp("production"), "prod")


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    """An empty scratch folder for one test."""
    yield from _scratch(tmp_path)


@pytest.fixture(scope="module")
def deployed(module_scratch: Scratch) -> Scratch:
    """The local stack, deployed for the module."""
    module_scratch.deployed()
    return module_scratch


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the module's local AWS."""
    return tmp_path_factory.mktemp("local-aws")


@pytest.fixture(scope="module")
def aws(state: Path) -> Iterator[LocalAws]:
    """A separate local AWS for the module, with no stack in it."""
    yield local_aws.start(state, clean_environment())
    local_aws.stop(state)
