"""Attacks of a plan on what isn't its own: the server, other pull requests, an apply, and AWS with more than a plan's rights.

A stack denies them with `terraformIsolation: tasks`. The provider of the pull request runs as the plan does.
"""

import re
import secrets
from collections.abc import Callable

from sandbox.attack.provider import called, run_in_plan
from sandbox.attack.pull_requests import HARMLESS, planned, state_bucket
from sandbox.attack.row import Outcome, Row, described, row, row_of_one_run, script
from sandbox.attack.target import Target


def _row(name: str, reached: str, control: str) -> Row:
    """An attack that is allowed if the output of its script has a line that matches ``reached``; the control's is ``control``."""

    def output(target: Target) -> str:
        if name == "isolation-other-pull-requests":
            planned(target, "isolation-victim", {"main.tf": HARMLESS})
        more = _private_module(target) if name == "isolation-token" else {}
        return run_in_plan(target, name, script(name), more=more)[0]

    def matched(pattern: str) -> Callable[[str], Outcome]:
        def judge(said: str) -> Outcome:
            found = re.search(pattern, said, re.MULTILINE)
            return Outcome(found is not None, found[0] if found else f"nothing of it: {said[:200]!r}")

        return judge

    return row_of_one_run(name, output, matched(reached), matched(control))


def _private_module(target: Target) -> dict[str, str]:
    """A module in a separate repository, which GitHub gives with a token only."""
    repository = target.repository(f"module-{secrets.token_hex(3)}")
    target.github.create_repository(repository, {"main.tf": 'output "said" {\n  value = "from the module"\n}\n'})
    source = f"git::https://github.com/{repository}.git"
    return {"module.tf": f'module "private" {{\n  source = "{source}"\n}}\n'}


def _aws(target: Target, call: str) -> Outcome:
    bucket = f'"$AWS_ENDPOINT_URL/{state_bucket(target)}'
    calls = {"write": f'-X PUT -d attack {bucket}/attack-of-a-plan"', "read": f'{bucket}?versioning="'}
    status = called(target, "isolation-aws", calls)[call]
    return Outcome(status == 200, f"{call} was answered with {status}")


ROWS = (
    *(_row(name, found, shown) for name, (found, shown) in described("found", "shown").items()),
    row("isolation-aws-write", lambda target: _aws(target, "write"), lambda target: _aws(target, "read")),
)
