"""The containers of a task, where this machine can separate users; elsewhere the tests are skipped, and say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from isolation import paths
from tests.unit.isolation.containers import Containers, can_separate


@pytest.fixture
def containers(request: pytest.FixtureRequest) -> Iterator[Containers]:
    """Workers for plans and applies, or those that the module's `ROLES` names."""
    if not can_separate():
        pytest.skip("needs root, mount namespaces and stunnel, to run commands as other users")
    with Containers("--grace", "2", roles=getattr(request.module, "ROLES", paths.ROLES)) as made:
        yield made


@pytest.fixture
def mark(containers: Containers) -> Path:
    """A directory in which commands leave files for the test."""
    folder = containers.root / "mark"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
