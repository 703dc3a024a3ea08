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
