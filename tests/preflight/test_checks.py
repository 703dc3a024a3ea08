"""Every check passes in a prepared account. Each row of the table spoils one thing: one check notices it, and states what to do."""

import re
from collections.abc import Mapping
from typing import Any

import jmespath
import pytest

from preflight.command import CHECKS
from preflight.errors import Status
from tests.preflight.account import Account, share
from tests.tables import table

ROWS = table(__file__, "rows")


def filled(value: Any, known: dict[str, Any]) -> Any:
    """`value` with the account's values in place of each `${name}`."""
    if isinstance(value, str):
        return re.sub(r"\$\{(.+?)\}", lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {key: filled(item, known) for key, item in value.items()}
    return [filled(item, known) for item in value] if isinstance(value, list) else value


def spoil(account: Account, step: Mapping[str, Any]) -> None:
    """Do what a step of a row does to the account."""
    for call in step.get("calls", ()):
        ((key, parameters),) = ((key, parameters) for key, parameters in call.items() if key != "keep")
        service, operation = key.split()
        answer = getattr(account.client(service), operation)(**filled(parameters, account.ids))
        account.ids |= {name: jmespath.search(path, answer) for name, path in call.get("keep", {}).items()}
    answers = step.get("answers", {}).items()
    account.altered = {tuple(key.split()): tuple(is_) if isinstance(is_, list) else is_ for key, is_ in answers}
    changed = account.values | filled(step.get("settings", {}), account.ids)
    account.values = {key: value for key, value in changed.items() if value is not None}


@pytest.mark.parametrize("name", ROWS)
def test_one_check_notices_what_is_wrong_and_states_what_to_do(account: Account, name: str) -> None:
    steps = ROWS[name] if isinstance(ROWS[name], list) else [ROWS[name]]
    if steps[0].get("shared"):
        share(account)
    check, besides = "", ""
    for step in steps:
        check, besides = step.get("check", check), step.get("besides", besides)
        spoil(account, step)
        account.assert_only(check, Status(step["status"]), *filled(step["says"], account.ids), besides=besides)


def test_every_check_passes(account: Account):
    ended = {name: (result.status, result.message) for name, result in account.results().items()}
    assert len(ended) == len(CHECKS)
    assert {name: why for name, (status, why) in ended.items() if status is not Status.OK} == {}


def test_nothing_fails_before_the_first_deployment(account: Account):
    """What the deployment creates is missing, and nothing else."""
    account.client("ecr").delete_repository(repositoryName="atlantis", force=True)
    for key in ("githubAppSecretName", "webhookSecretName"):
        secret = account.values.pop(key)
        account.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    account.values["desiredCount"] = 0
    ended = {name: (result.status, result.message) for name, result in account.results().items()}
    unchecked = {name for name, (status, _) in ended.items() if status is not Status.OK}
    assert {ended[name][0] for name in unchecked} == {Status.NOT_CHECKED}, ended
    assert unchecked <= {name for name in ended if name.startswith(("image: ", "secrets: "))}, ended
