"""Where logs are kept: what exists before it is used. Who may write and read them is in `decided.yaml`."""

import pytest

from tests.unit.recording import PARTITION, deploy
from tests.unit.stacks import stack


def test_the_lifecycle_waits_for_the_versions_and_the_policy_for_the_block_of_public_access() -> None:
    lifecycle = stack().one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.depends_on == ("ingress-access-logs", "ingress-access-logs-versioning")
    policy = stack().one("aws:s3/bucketPolicy:BucketPolicy")
    assert policy.depends_on == ("ingress-access-logs", "ingress-access-logs-public-access")


def test_the_archive_s_permissions_exist_before_what_uses_them() -> None:
    graph = stack(logArchiveDays=400)
    stream = graph.one("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream").depends_on
    assert {"log-archive-role-policy", "log-archive-policy", "log-archive-encryption"} <= set(stream)
    subscription = graph.one("aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter").depends_on
    assert "log-archive-delivery-role-policy" in subscription


def test_in_another_partition_the_log_s_principal_has_that_partition_s_suffix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTITION, "dnsSuffix", "amazonaws.com.cn")
    policy = deploy().one("aws:kms/key:Key", "compute-logs-key").document()
    principals = [statement["Principal"].get("Service") for statement in policy]
    assert "logs.ap-northeast-2.amazonaws.com.cn" in principals
