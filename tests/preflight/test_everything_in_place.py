"""In an account where everything is as it should be, every check says so."""

from preflight.command import CHECKS
from preflight.errors import Status
from tests.preflight.account import Account


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
