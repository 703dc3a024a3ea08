"""The checks of the topics that alarms notify, each spoiled once."""

import json

import pytest

from preflight.errors import Status
from sandbox.testbed.local_aws import ACCOUNT, REGION
from tests.preflight.account import Account, policy

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
PUBLISHER = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
    "Resource": "*",
}


def _encrypt(account: Account, key: str) -> None:
    (topic,) = account.values["alarmTopicArns"]
    account.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key)


def test_missing_topic_is_a_failure(account: Account):
    missing = f"arn:aws:sns:{REGION}:{ACCOUNT}:elsewhere"
    account.values["alarmTopicArns"] += [missing]
    account.assert_only("alarms: topics exist", Status.FAILED, f"no topic {missing}", "correct alarmTopicArns")


def test_topic_without_a_subscription_is_a_warning(account: Account):
    quiet = account.client("sns").create_topic(Name="quiet")["TopicArn"]
    account.values["alarmTopicArns"] += [quiet]
    account.assert_only(
        "alarms: subscriptions",
        Status.WARNING,
        f"nobody has subscribed to {quiet}",
        f"aws sns subscribe --topic-arn {quiet}",
    )


def test_topic_under_the_key_that_aws_manages_is_a_failure(account: Account):
    _encrypt(account, "alias/aws/sns")
    account.assert_only(
        "alarms: topics' keys",
        Status.FAILED,
        "alias/aws/sns, which CloudWatch may not use",
        "with a customer managed key",
    )


@pytest.mark.parametrize("others", [[], [PUBLISHER | {"Effect": "Deny"}]], ids=["not named", "denied"])
def test_topic_under_a_key_that_does_not_admit_cloudwatch_is_a_failure(
    account: Account, others: list[dict[str, object]]
):
    key = account.client("kms").create_key(Policy=policy(ROOT, *others))["KeyMetadata"]["KeyId"]
    _encrypt(account, key)
    account.assert_only(
        "alarms: topics' keys", Status.FAILED, f"{key}, whose policy does not name cloudwatch.amazonaws.com"
    )


@pytest.mark.parametrize("as_list", [True, False])
def test_topic_under_a_key_that_admits_cloudwatch_passes(account: Account, as_list: bool):
    document = {"Version": "2012-10-17", "Statement": [ROOT, PUBLISHER] if as_list else PUBLISHER}
    key = account.client("kms").create_key(Policy=json.dumps(document), BypassPolicyLockoutSafetyCheck=True)[
        "KeyMetadata"
    ]["Arn"]
    _encrypt(account, key)
    found = account.result("alarms: topics' keys")
    assert (found.status, found.message) == (Status.OK, "CloudWatch may use them")


def test_no_topic_leaves_nothing_to_check(account: Account):
    account.values["alarmTopicArns"] = []
    account.assert_only("alarms: topics exist", Status.NOT_CHECKED, "alarmTopicArns is empty")
