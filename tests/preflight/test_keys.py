"""The keys of topics and of state buckets: CloudWatch and the task can use them."""

import json

import pytest

from preflight.errors import Status
from sandbox.testbed.local_aws import ACCOUNT
from tests.preflight.account import Account, policy

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
PUBLISHER = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}


def _encrypt_topic(account: Account, key: str) -> None:
    (topic,) = account.values["alarmTopicArns"]
    account.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key)


@pytest.mark.parametrize("others", [[], [PUBLISHER | {"Effect": "Deny"}]], ids=["not named", "denied"])
def test_topic_under_a_key_that_does_not_admit_cloudwatch_is_a_failure(
    account: Account, others: list[dict[str, object]]
):
    key = account.client("kms").create_key(Policy=policy(ROOT, *others))["KeyMetadata"]["KeyId"]
    _encrypt_topic(account, key)
    account.assert_only(
        "alarms: topics' keys", Status.FAILED, f"{key}, whose policy does not name cloudwatch.amazonaws.com"
    )


@pytest.mark.parametrize("as_list", [True, False])
def test_topic_under_a_key_that_admits_cloudwatch_passes(account: Account, as_list: bool):
    document = {"Version": "2012-10-17", "Statement": [ROOT, PUBLISHER] if as_list else PUBLISHER}
    key = account.client("kms").create_key(Policy=json.dumps(document), BypassPolicyLockoutSafetyCheck=True)[
        "KeyMetadata"
    ]["Arn"]
    _encrypt_topic(account, key)
    found = account.result("alarms: topics' keys")
    assert (found.status, found.message) == (Status.OK, "CloudWatch may use them")


def _encrypt_bucket(account: Account, key: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    account.client("s3").put_bucket_encryption(Bucket="tf-state", ServerSideEncryptionConfiguration={"Rules": rules})


@pytest.mark.parametrize("form", ["Arn", "KeyId"])
def test_bucket_under_a_key_that_the_task_may_not_use_is_a_failure(account: Account, form: str):
    key = account.client("kms").create_key()["KeyMetadata"]
    _encrypt_bucket(account, key[form])
    account.assert_only(
        "state: buckets encrypt",
        Status.FAILED,
        f"tf-state encrypts with {key['Arn']}, which the task isn't allowed to use",
        "add the key to terraformStateKeyArns",
    )
    account.values["terraformStateKeyArns"] = [key["Arn"]]
    assert account.result("state: buckets encrypt").status is Status.OK


def test_bucket_under_the_key_that_aws_manages_passes(account: Account):
    account.altered["kms", "describe_key"] = {"KeyMetadata": {"KeyManager": "AWS"}}
    _encrypt_bucket(account, account.client("kms").create_key()["KeyMetadata"]["Arn"])
    assert account.result("state: buckets encrypt").status is Status.OK
