"""Secrets: made empty, generated, or existing; never with a value in clear text. The default stack's are in `decided.yaml`."""

import pytest

from tests.unit.recording import arn_of
from tests.unit.stacks import arn, stack

SECRET, SECRET_POLICY = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"githubAppSecretName": "shared/github-app"}, "secrets-webhook"),
        ({"webhookSecretName": "shared/webhook"}, "secrets-github-app"),
    ],
)
def test_with_one_secret_that_exists_the_other_is_made_under_the_customer_key(
    changes: dict[str, str], made: str
) -> None:
    graph = stack(**changes, webBasicAuth=False)
    assert graph.names(SECRET) == [made]
    assert graph.one(SECRET).inputs["kmsKeyId"] == arn_of("secrets-key")
    assert graph.names(SECRET_VERSION) == (["secrets-webhook-version"] if made == "secrets-webhook" else [])


def test_without_deletion_protection_secrets_are_gone_at_once() -> None:
    graph = stack(deletionProtection=False)
    assert [(secret.protect, secret.inputs["recoveryWindowInDays"]) for secret in graph.all(SECRET)] == [(False, 0)] * 3


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("shared/by-id", ["key/behind-1a2b3c4d-0000-4000-8000-000000000000"]),
        ("shared/by-alias", ["key/behind-arn:aws:kms:::alias/shared"]),
        ("shared/other", ["key/of-shared/other"]),
        ("shared/default", []),
        ("shared/managed", []),
    ],
)
def test_the_key_of_a_secret_that_exists_is_granted_by_its_arn(name: str, keys: list[str]) -> None:
    graph = stack(githubAppSecretName=name, webhookSecretName=name, webBasicAuth=False)
    granted = [
        resource
        for statement in graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
        if statement["Sid"] == "DecryptTaskSecrets"
        for resource in statement["Resource"]
    ]
    assert sorted(set(granted)) == [arn("kms", key) for key in keys]
