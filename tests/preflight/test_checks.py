"""Every check passes in a prepared account. Each row of the table spoils one thing: one check notices it, and states what to do."""

import re
from typing import Any

import pytest

from preflight.command import CHECKS
from preflight.errors import Status
from tests.preflight.account import Account
from tests.tables import table

ROWS = table(__file__, "rows")


def filled(value: Any, known: dict[str, Any]) -> Any:
    """`value` with the account's values in place of each `${name}`."""
    if isinstance(value, str):
        return re.sub(r"\$\{(.+?)\}", lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {key: filled(item, known) for key, item in value.items()}
    return [filled(item, known) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ROWS)
def test_one_check_notices_what_is_wrong_and_states_what_to_do(account: Account, name: str) -> None:
    row = filled(ROWS[name], account.ids)
    for call in row.get("calls", ()):
        for key, parameters in call.items():
            service, operation = key.split()
            getattr(account.client(service), operation)(**parameters)
    for key, answer in row.get("answers", {}).items():
        service, operation = key.split()
        account.altered[service, operation] = tuple(answer) if isinstance(answer, list) else answer
    changed = account.values | row.get("settings", {})
    account.values = {key: value for key, value in changed.items() if value is not None}
    account.assert_only(row["check"], Status(row["status"]), *row["says"], besides=row.get("besides", ""))


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
