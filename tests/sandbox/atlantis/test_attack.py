"""The attack table must be able to fail: against a server that is started as the stock image starts it, with its defaults."""

import pytest

from sandbox.attack.row import Verdict, run
from sandbox.attack.table import ROWS
from sandbox.attack.target import Target
from sandbox.sandbox import Sandbox
from sandbox.testbed.github.store import Store
from tests.needs import needs
from tests.sandbox.atlantis.local_service import LocalService

pytestmark = needs("terraform")


@pytest.fixture(scope="module")
def unprotected(local: LocalService) -> Target:
    """A service whose container has no separate start, and whose server has no rules."""
    deployment = local.deployment
    return Target(Sandbox(state=deployment.state), deployment, Store(deployment.state / "github"), {})


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    "name",
    [
        "file-own-environment",
        "file-every-environment",
        "local-exec",
        "provider-server-memory",
        "provider-server-descriptors",
        "provider-server-stopped",
        "unapproved-apply",
        "other-base",
        "page-without-password",
        "bare-repository",
        "link-written",
        "link-read",
        "link-directory",
        "argument-destroy",
        "argument-variable",
        "argument-resources",
        "argument-out",
        "live-log-elsewhere",
        "localhost-port",
    ],
)
def test_without_the_controls_the_attack_succeeds(unprotected: Target, name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    result = run(row, unprotected)
    assert result.verdict is Verdict.ALLOWED, result
