"""Secrets: made empty, generated, or existing; never with a value in clear text."""

import json
from typing import Any

import pytest

from tests.unit.recording import ACCOUNT, DEPLOYER, arn_of
from tests.unit.stacks import BARE, EXECUTION_ROLE_SESSIONS, PRODUCTION, TAGS, arn, stack

SECRET, SECRET_POLICY = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
SECRET_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
PASSWORD = "random:index/randomPassword:RandomPassword"


def refuse_all_but(
    *readers: str, deployers: tuple[str, ...] = (DEPLOYER,), terraform: tuple[str, ...] = ("fileflow-*", "atlantis-*")
) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DenyOtherReaders",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(readers)}},
            },
            {
                "Sid": "DenyPlans",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": ["secretsmanager:*"],
                "Resource": "*",
                "Condition": {
                    "ArnLike": {
                        "aws:PrincipalArn": [
                            arn
                            for role in ("atlantis-ecs-task-*", *terraform)
                            for arn in (
                                f"arn:aws:iam::{ACCOUNT}:role/{role}",
                                f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/*",
                            )
                        ]
                    },
                    "ArnNotLike": {"aws:PrincipalArn": [*EXECUTION_ROLE_SESSIONS, *deployers]},
                },
            },
        ],
    }


@pytest.mark.parametrize(
    ("name", "physical_name", "description"),
    [
        (
            "secrets-github-app",
            "prod-atlantis-github-app",
            "Atlantis: GitHub App (app_id, installation_id, private_key), filled by an operator",
        ),
        (
            "secrets-webhook",
            "prod-atlantis-webhook-secret",
            "Atlantis: secret that GitHub signs its webhooks with (webhook_secret), generated",
        ),
    ],
)
def test_a_secret_is_under_the_customer_key_restorable_and_protected(
    name: str, physical_name: str, description: str
) -> None:
    secret = stack().one(SECRET, name)
    assert secret.inputs == {
        "name": physical_name,
        "description": description,
        "kmsKeyId": arn_of("secrets-key"),
        "recoveryWindowInDays": 30,
        "tags": TAGS,
    }
    assert secret.protect


def test_the_password_of_the_page_can_be_given_up_and_generated_again() -> None:
    secret = stack().one(SECRET, "secrets-web-password")
    assert secret.inputs == {
        "name": "prod-atlantis-web-password",
        "description": "Atlantis: password of the web page (web_password), generated",
        "kmsKeyId": arn_of("secrets-key"),
        "recoveryWindowInDays": 0,
        "tags": TAGS,
    }
    assert not secret.protect


@pytest.mark.parametrize(
    ("secret", "more"), [("github-app", []), ("webhook", [DEPLOYER]), ("web-password", [DEPLOYER])]
)
def test_the_execution_role_reads_a_secret_and_those_who_deploy_the_generated_ones(
    secret: str, more: list[str]
) -> None:
    assert stack().one(SECRET_POLICY, f"secrets-{secret}-policy").decoded == {
        "secretArn": arn_of(f"secrets-{secret}"),
        "policy": refuse_all_but(*EXECUTION_ROLE_SESSIONS, *more),
        "blockPublicPolicy": True,
    }


def test_the_caller_changes_no_policy() -> None:
    policy = stack(**PRODUCTION).one(SECRET_POLICY, "secrets-webhook-policy").decoded["policy"]
    deployer = f"arn:aws:iam::{ACCOUNT}:role/atlantis-deployer"
    assert policy == refuse_all_but(*EXECUTION_ROLE_SESSIONS, deployer, deployers=(deployer,))


def test_the_github_app_secret_stays_empty() -> None:
    assert stack().names(SECRET_VERSION) == ["secrets-web-password-version", "secrets-webhook-version"]


def test_the_webhook_secret_is_generated_of_letters_and_digits() -> None:
    password = stack().one(PASSWORD, "secrets-webhook-value")
    assert password.inputs == {"length": 48, "special": False, "keepers": {"generation": "1"}}
    assert password.parent == "secrets"


def test_another_generation_makes_another_webhook_secret() -> None:
    assert stack(**PRODUCTION).one(PASSWORD, "secrets-webhook-value").inputs["keepers"] == {"generation": "2"}


def test_the_generated_value_goes_to_secrets_manager_as_a_secret() -> None:
    version = stack().one(SECRET_VERSION, "secrets-webhook-version")
    assert version.decoded == {
        "secretId": arn_of("secrets-webhook"),
        "secretString": {"webhook_secret": "generated-secret-value"},
    }
    assert version.secret_inputs == {"secretString"}


def test_the_page_asks_for_a_generated_password() -> None:
    graph = stack()
    assert graph.one(SECRET_VERSION, "secrets-web-password-version").decoded == {
        "secretId": arn_of("secrets-web-password"),
        "secretString": {"web_password": "generated-secret-value"},
    }
    again = stack(webPasswordGeneration=2).one(PASSWORD, "secrets-web-password-value")
    assert again.inputs["keepers"] == {"generation": "2"}


def test_without_basic_authentication_there_is_no_password() -> None:
    graph = stack(webBasicAuth=False)
    assert "secrets-web-password" not in graph.names(SECRET)
    assert "ATLANTIS_WEB_PASSWORD" not in secret_references(graph)


def test_secrets_that_exist_are_referred_to_and_nothing_is_made() -> None:
    graph = stack(**BARE)
    made = [resource.type for resource in graph.resources if resource.parent in ("secrets", "secrets-key")]
    assert made == []
    assert [graph.names(kind) for kind in (SECRET, SECRET_POLICY, SECRET_VERSION, PASSWORD)] == [[]] * 4


def secret_references(graph: Any) -> dict[str, str]:
    container = json.loads(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]
    return {reference["name"]: reference["valueFrom"] for reference in container["secrets"]}


@pytest.mark.parametrize(
    ("changes", "app", "webhook", "more"),
    [
        (
            {},
            arn_of("secrets-github-app"),
            arn_of("secrets-webhook"),
            {"ATLANTIS_WEB_PASSWORD": f"{arn_of('secrets-web-password')}:web_password::"},
        ),
        (
            BARE,
            arn("secretsmanager", "secret:shared/github-app-AbCdEf"),
            arn("secretsmanager", "secret:shared/webhook-AbCdEf"),
            {},
        ),
    ],
    ids=["created", "existing"],
)
def test_the_task_refers_to_its_secrets(changes: dict[str, Any], app: str, webhook: str, more: dict[str, str]) -> None:
    assert secret_references(stack(**changes)) == more | {
        "ATLANTIS_GH_APP_ID": f"{app}:app_id::",
        "ATLANTIS_GH_APP_INSTALLATION_ID": f"{app}:installation_id::",
        "ATLANTIS_GH_APP_KEY": f"{app}:private_key::",
        "ATLANTIS_GH_WEBHOOK_SECRET": f"{webhook}:webhook_secret::",
    }


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
