"""The wrong account, missing permissions, no credentials, nobody answering: said once, and in words."""

import boto3
import pytest

from preflight.aws import Aws
from preflight.errors import Status
from tests.preflight.account import Account
from tests.tables import table


def test_credentials_name_the_account_and_the_endpoint(account: Account):
    assert (
        account.result("account: credentials").message
        == f"account 123456789012 as root, ap-northeast-2, {account.aws.endpoint}"
    )


@pytest.mark.parametrize(
    ("key", "arn"),
    [
        (
            "acmCertificateArn",
            "arn:aws:acm:ap-northeast-2:210987654321:certificate/0b2e3c1a-6d5f-4a7e-8c9b-1d2e3f4a5b6c",
        ),
        (
            "webAclArn",
            "arn:aws:wafv2:ap-northeast-2:210987654321:regional/webacl/edge/0b2e3c1a-6d5f-4a7e-8c9b-1d2e3f4a5b6c",
        ),
        ("alarmTopicArns", ["arn:aws:sns:ap-northeast-2:210987654321:on-call"]),
        ("secretReaderArns", ["arn:aws:iam::210987654321:role/deployer"]),
    ],
)
def test_account_other_than_the_stacks_is_a_failure(account: Account, key: str, arn: str | list[str]):
    account.values[key] = arn
    result = account.result("account: is the stack's")
    assert result.status is Status.FAILED
    assert result.message == f"{key} is of account 210987654321, the credentials are of 123456789012"
    assert "Pulumi.prod.yaml" in result.remedy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint URL"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
    ],
)
def test_nobody_answering_is_said_once(
    account: Account, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str
):
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    assert_only_credentials_fail(account, said)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (("ExpiredToken", ""), "AWS rejects the credentials: ExpiredToken"),
        (("InvalidClientTokenId", ""), "AWS rejects the credentials: InvalidClientTokenId"),
        (("InternalFailure", "later"), "sts get_caller_identity answered InternalFailure: later"),
    ],
)
def test_refused_credentials_are_said_once(account: Account, answer: tuple[str, str], said: str):
    account.altered["sts", "get_caller_identity"] = answer
    assert_only_credentials_fail(account, said)


def test_no_credentials_at_all_are_said_once(account: Account, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    account.session = boto3.Session()
    assert_only_credentials_fail(account, "there are no AWS credentials in this environment")


def assert_only_credentials_fail(account: Account, said: str) -> None:
    results = account.results()
    first = results.pop("account: credentials")
    assert (first.status, said in first.message, bool(first.remedy)) == (Status.FAILED, True, True), first
    # It compares two files.
    assert results.pop("policy pack: configuration").status is Status.OK
    assert {(result.status, result.message) for result in results.values()} == {
        (Status.NOT_CHECKED, "needs: account credentials (failed)")
    }


def test_a_caller_among_the_readers_is_found_by_its_role(account: Account):
    account.assume_role({"Effect": "Allow", "Action": "*", "Resource": "*"})
    result = account.result("account: caller deploys")
    assert result.status is Status.OK
    assert result.message == "arn:aws:iam::123456789012:role/platform/looker is in secretReaderArns"


def test_a_caller_who_could_not_read_the_secrets_back_is_a_warning(account: Account):
    account.values["secretReaderArns"] = ["arn:aws:iam::123456789012:role/looker"]
    account.assume_role({"Effect": "Allow", "Action": "*", "Resource": "*"})
    result = account.result("account: caller deploys")
    assert result.status is Status.WARNING
    assert "role/platform/looker isn't in secretReaderArns" in result.message
    assert "deploy as one of arn:aws:iam::123456789012:role/looker" in result.remedy


READS = table(__file__, "reads")


@pytest.mark.parametrize("action", READS)
def test_missing_permission_is_named(account: Account, action: str):
    account.assume_role({"Effect": "Allow", "NotAction": action, "Resource": "*"})
    result = account.result(READS[action])
    assert (result.status, result.message) == (Status.FAILED, f"the permission {action} is missing")
    assert f"allow {action}" in result.remedy


def test_refusal_by_the_secrets_key_names_the_permission_on_the_key(account: Account):
    account.altered["secretsmanager", "get_secret_value"] = ("AccessDeniedException", "Access to KMS is not allowed")
    assert account.result("secrets: webhook exists").message == "the permission kms:Decrypt is missing"


def test_calls_that_do_more_than_read_are_refused():
    with pytest.raises(AssertionError, match=r"ecr.delete_repository doesn't only read"):
        Aws("ap-northeast-2").read("ecr", "delete_repository", repositoryName="atlantis")
