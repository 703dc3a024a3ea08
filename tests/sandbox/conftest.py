"""Sandboxes for the end-to-end tests, each in a folder of its own and stopped at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.harness import Ground


def _ground(folder: Path, stack: str = "local") -> Iterator[Ground]:
    ground = Ground(folder, stack)
    yield ground
    ground.stop()


@pytest.fixture(scope="module")
def module_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """An empty ground for the local stack that the tests of a module share."""
    yield from _ground(tmp_path_factory.mktemp("sandbox"))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """An empty ground for the production stack that the tests of a module share."""
    yield from _ground(tmp_path_factory.mktemp("production"), "prod")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """An empty ground for one test."""
    yield from _ground(tmp_path)


@pytest.fixture(scope="module")
def deployed(module_ground: Ground) -> Ground:
    """The local stack, deployed once for the module."""
    module_ground.sandbox().up()
    return module_ground
