"""A deployed stack with the server in it, where the task's users can reach its files."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from tests.sandbox.harness import Ground


@contextlib.contextmanager
def reachable_ground() -> Iterator[Ground]:
    """A ground outside of pytest's own folder, which pytest closes to others: the server runs as a separate user."""
    with tempfile.TemporaryDirectory(prefix="atlantis-") as folder:
        Path(folder).chmod(0o711)
        ground = Ground(Path(folder))
        try:
            yield ground
        finally:
            ground.stop()


@contextlib.contextmanager
def served(ground: Ground, **settings: Any) -> Iterator[Sandbox]:
    """The local stack with ``settings``, deployed on ``ground`` and taken down at the end."""
    sandbox = ground.with_server(**settings)
    sandbox.up()
    yield sandbox
    sandbox.down(force=True)


def service_of(sandbox: Sandbox) -> DeployedService:
    """The deployed service."""
    found = sandbox.service()
    assert found is not None
    return found
