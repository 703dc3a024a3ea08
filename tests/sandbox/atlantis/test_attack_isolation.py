"""The rows about Terraform in workers must be able to fail: against a server that runs Terraform itself."""

import pytest

from sandbox.attack import goals, isolation, left_behind, states
from sandbox.attack.row import Row, Verdict, run, run_all
from sandbox.attack.table import ROWS
from sandbox.attack.target import Target
from sandbox.sandbox import Sandbox
from sandbox.testbed.github.store import Store
from tests.needs import needs
from tests.sandbox.atlantis.local_service import BUCKET, LocalService, create_lock_table

pytestmark = needs("terraform")

_ISOLATION = [row for row in ROWS if row.isolation]
# Without workers there are no sockets to reach and no key to find, and the sandbox has no limit of the server's memory and CPU in which
# other plans could fail. The other rows need another stack.
_WITH_WORKERS_ONLY = {"isolation-sockets", "worker-key", "others-memory", "others-cpu"}
_ROWS = [
    row
    for module in (isolation, left_behind, goals, states)
    for row in module.ROWS
    if row.isolation and row.name not in _WITH_WORKERS_ONLY
]


@pytest.fixture(scope="module")
def unprotected(local: LocalService) -> Target:
    """A service whose Terraform runs in the server's container, with a state bucket and a lock table that the task role may write."""
    deployment = local.deployment
    local.aws.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": local.aws.region}
    )
    create_lock_table(local.aws.client("dynamodb"))
    return Target(Sandbox(state=deployment.state), deployment, Store(deployment.state / "github"), {})


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("row", _ROWS, ids=[row.name for row in _ROWS])
def test_without_isolation_the_attack_succeeds(unprotected: Target, row: Row) -> None:
    result = run(row, unprotected)
    assert result.verdict is Verdict.ALLOWED, result


def test_a_stack_without_isolation_skips_the_rows_and_says_why(unprotected: Target) -> None:
    results = list(run_all(_ISOLATION, unprotected))
    assert {result.verdict for result in results} == {Verdict.SKIPPED}
    assert all("terraformIsolation isn't tasks" in result.attempt for result in results)
