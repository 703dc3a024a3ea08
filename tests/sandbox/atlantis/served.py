"""A deployed stack with the server in it, where the task's users can reach its files."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.deployed_service import DeployedService
from tests.sandbox.harness import Scratch


@contextlib.contextmanager
def reachable_scratch() -> Iterator[Scratch]:
    """A scratch folder outside of pytest's own folder, which pytest closes to others: the server runs as a separate user."""
    with tempfile.TemporaryDirectory(prefix="atlantis-") as folder:
        Path(folder).chmod(0o711)
        scratch = Scratch(Path(folder))
        try:
            yield scratch
        finally:
            scratch.stop()


def service_of(sandbox: Sandbox) -> DeployedService:
    """The deployed service."""
    found = sandbox.service()
    assert found is not None
    return found
