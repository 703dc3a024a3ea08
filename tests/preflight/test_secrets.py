"""The secret checks, each spoiled once, and that no value is ever said."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from preflight.errors import Status
from preflight.secrets import number_problem, private_key_problem
from tests.preflight.account import APP_KEY, Account, policy

APP, WEBHOOK = "prod-atlantis-github-app", "prod-atlantis-webhook-secret"
PUT = f"aws secretsmanager put-secret-value --secret-id {APP}"

BOUNDARY = "roles: boundary protects Atlantis"
"""The boundary of these tests protects the secrets that the other tests name, and no others."""


def app(**changes: object) -> dict[str, object]:
    return {"app_id": "123456", "installation_id": "12345678", "private_key": APP_KEY} | changes


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (APP_KEY.replace("\n", "\\n"), "contains the characters \\n instead of line breaks"),
        (APP_KEY.replace("\n", ""), "has lost its line breaks"),
        (APP_KEY.replace("\n", " "), "has lost its line breaks"),
        (APP_KEY[: len(APP_KEY) // 2], "is a PEM that can't be parsed"),
        (f"  {APP_KEY}", "isn't a PEM: it doesn't start with -----BEGIN"),
        ("", "isn't a PEM"),
        ("MIIEpAIBAAKCAQEA", "isn't a PEM"),
        (PUBLIC_PEM, "is a PEM, but not a private key"),
        (pem(RSA_KEY, b"passphrase"), "is encrypted with a passphrase"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "isn't an RSA key"),
        (APP_KEY, None),
        (f"\n{APP_KEY}\n\n", None),
        (APP_KEY.replace("\n", "\r\n"), None),
        (pem(RSA_KEY), None),
    ],
)
def test_private_key_problem_says_what_is_wrong_with_the_pem(key: str, why: str | None):
    problem = private_key_problem(key)
    assert problem is None if why is None else problem is not None and problem.startswith(why)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("123456", True),
        (123456, True),
        ("0", False),
        ("12a", False),
        ("", False),
        (" 1", False),
        ("-1", False),
        ("²", False),
        (True, False),
    ],
)
def test_ids_are_positive_whole_numbers(value: object, accepted: bool):
    assert (number_problem(value) is None) == accepted


def test_missing_secret_says_how_to_make_it(account: Account):
    account.values["githubAppSecretName"] = "elsewhere"
    account.assert_only(
        "secrets: credentials exist",
        Status.FAILED,
        "elsewhere does not exist",
        "aws secretsmanager create-secret --name elsewhere",
        besides=BOUNDARY,
    )


def test_secret_that_the_deployment_makes_leads_through_the_first_deployment(account: Account):
    account.client("secretsmanager").delete_secret(SecretId=APP, ForceDeleteWithoutRecovery=True)
    del account.values["githubAppSecretName"]
    account.assert_only(
        "secrets: credentials exist", Status.FAILED, f"{APP} doesn't exist", "deploy once with desiredCount 0"
    )
    account.values["desiredCount"] = 0
    account.assert_only("secrets: credentials exist", Status.NOT_CHECKED, f"the deployment creates {APP}")


def test_secret_without_a_value_is_a_failure(account: Account):
    manager = account.client("secretsmanager")
    manager.delete_secret(SecretId=APP, ForceDeleteWithoutRecovery=True)
    manager.create_secret(Name=APP)
    account.assert_only("secrets: credentials exist", Status.FAILED, f"{APP} exists, but has no value", PUT)


def test_secret_without_a_value_is_expected_before_the_task_is_started(account: Account):
    manager = account.client("secretsmanager")
    manager.delete_secret(SecretId=APP, ForceDeleteWithoutRecovery=True)
    manager.create_secret(Name=APP)
    account.values["desiredCount"] = 0
    result = account.results()["secrets: credentials exist"]
    assert (result.status, result.message, result.remedy) == (
        Status.NOT_CHECKED,
        f"{APP} has no value yet; desiredCount 0 runs no task",
        "store its value next",
    )


def test_secret_in_its_deletion_window_can_be_restored(account: Account):
    account.client("secretsmanager").delete_secret(SecretId=APP, RecoveryWindowInDays=30)
    account.assert_only(
        "secrets: credentials exist",
        Status.FAILED,
        "scheduled for deletion",
        f"aws secretsmanager restore-secret --secret-id {APP}",
    )


def test_secret_that_is_for_the_execution_role_alone_is_not_read(account: Account):
    only = {"ArnNotLike": {"aws:PrincipalArn": account.names.execution_role_arn}}
    refusal = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    account.client("secretsmanager").put_resource_policy(
        SecretId=APP, ResourcePolicy=policy(refusal | {"Condition": only})
    )
    account.assume_role({"Effect": "Allow", "Action": "*", "Resource": "*"})
    account.assert_only(
        "secrets: credentials exist",
        Status.NOT_CHECKED,
        f"{APP} exists, and its policy doesn't allow your credentials to read the value",
    )


def test_binary_value_is_no_json(account: Account):
    account.client("secretsmanager").put_secret_value(SecretId=APP, SecretBinary=b"{}")
    account.assert_only("secrets: credentials exist", Status.FAILED, "has a binary value", PUT)


@pytest.mark.parametrize("value", ["not json", "[1]", '"text"', '{"app_id": "1",'])
def test_value_must_be_a_json_object(account: Account, value: str):
    account.put_secret(APP, value)
    account.assert_only("secrets: credentials have their keys", Status.FAILED, f"{APP} is not a JSON object", PUT)


def test_missing_keys_are_named_with_the_present_ones(account: Account):
    account.put_secret(APP, {"app_id": "1", "installationId": "2", "private_key": ""})
    account.assert_only(
        "secrets: credentials have their keys",
        Status.FAILED,
        f"{APP} lacks installation_id, private_key (it has installationId)",
        PUT,
    )


def test_ids_that_are_no_numbers_are_named(account: Account):
    account.put_secret(APP, app(app_id="my-app"))
    account.assert_only(
        "secrets: GitHub App ids", Status.FAILED, f"{APP}: app_id is not a number", "App's settings page"
    )


def test_literal_backslash_n_is_explained(account: Account):
    account.put_secret(APP, app(private_key=APP_KEY.replace("\n", "\\n")))
    account.assert_only(
        "secrets: GitHub App private key", Status.FAILED, "contains the characters \\n", "--rawfile private_key"
    )


def test_named_webhook_secret_must_exist_with_its_key(account: Account):
    account.put_secret(WEBHOOK, {"webhookSecret": "x"})
    account.assert_only(
        "secrets: webhook has its key", Status.FAILED, f"{WEBHOOK} lacks webhook_secret (it has webhookSecret)"
    )
    account.values["webhookSecretName"] = "elsewhere"
    account.assert_only("secrets: webhook exists", Status.FAILED, "elsewhere does not exist", besides=BOUNDARY)


def test_generated_webhook_secret_needs_no_check(account: Account):
    del account.values["webhookSecretName"]
    account.assert_only(
        "secrets: webhook exists",
        Status.NOT_CHECKED,
        "the deployment generates the webhook secret",
        besides="names: secrets",
    )


@pytest.mark.parametrize(
    "value",
    [
        "k3epMeSecret-not-json",
        {"app_id": "k3epMeSecret", "installation_id": "k3epMeSecret", "private_key": "k3epMeSecret"},
    ],
)
def test_no_message_holds_a_value(account: Account, value: object):
    account.put_secret(APP, value)
    account.put_secret(WEBHOOK, {"webhook_secret": "k3epMeSecret"})
    said = json.dumps([[result.message, result.remedy] for result in account.results().values()])
    assert "k3epMeSecret" not in said
    assert "secrets" in said


def test_secrets_of_own_containers_must_exist_and_have_their_keys(account: Account) -> None:
    check = "secrets: containers' secrets"
    assert account.result(check).message == "no container of extraContainers has a secret"
    image = f"example/metrics@sha256:{'0a' * 32}"
    container = {"name": "metrics", "image": image}

    def says(reference: str) -> str:
        account.values["extraContainers"] = [container | {"secrets": {"KEY": reference}}]
        return account.result(check).message

    arn = f"arn:aws:secretsmanager:{account.aws.region}:{account.aws.account}:secret:metrics-AbCdEf"
    assert f"{arn} does not exist" in says(f"{arn}:key::")
    arn = account.client("secretsmanager").create_secret(Name="metrics", SecretString=json.dumps({"key": "x"}))["ARN"]
    assert says(f"{arn}:key::") == says(arn) == "1 values"
    assert f"{arn} lacks other (it has key)" in says(f"{arn}:other::")
