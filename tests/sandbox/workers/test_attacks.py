"""Attacks of plans on the stack with workers, each of which must be denied, and one that succeeds once its control is removed."""

import pytest

from sandbox.attack import goals, isolation, left_behind, other_accounts, states
from sandbox.attack.row import Result, Verdict, run, run_all
from sandbox.attack.target import Target
from sandbox.testbed.containers.deployed_service import DeployedService
from tests.needs import iam_evaluator, needs, needs_containers
from tests.sandbox.atlantis.conftest import seen_by
from tests.sandbox.workers.commands import workers

pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]

_MODULES = (goals, isolation, left_behind, states, other_accounts)
_ROWS = [row for module in _MODULES for row in module.ROWS if row.isolation]
"""Attacks that only workers deny; `test_drift_stack` has those on the API."""


@pytest.fixture(scope="module")
def results(target: Target) -> dict[str, Result]:
    """The results of the attacks, which run in parallel, by the row's name."""
    iam_evaluator()
    return {result.row.name: result for result in run_all(_ROWS, target)}


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize("name", [row.name for row in _ROWS])
def test_an_attack_of_a_plan_is_denied(results: dict[str, Result], name: str) -> None:
    assert results[name].verdict is Verdict.REFUSED, results[name]


def test_without_the_rights_of_the_sockets_a_plan_reaches_its_executor(
    service: DeployedService, target: Target
) -> None:
    row = next(row for row in isolation.ROWS if row.name == "isolation-sockets")
    folders = [
        seen_by(process, "/run/isolation/executor")
        for process in workers(service, "plan").processes()
        if process.name.endswith(".executor")
    ]
    paths = [path for folder in folders for path in (folder, folder / "executor.sock")]
    before = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o777)
    try:
        result = run(row, Target.of(target.sandbox))
    finally:
        for path, mode in zip(paths, before, strict=True):
            path.chmod(mode)
    assert result.verdict is Verdict.ALLOWED, result
