"""Where logs are kept: private buckets and groups that only services of this account write to."""

import pytest

from tests.unit.recording import ACCOUNT, arn_of
from tests.unit.stacks import arn, stack


def test_the_lifecycle_waits_for_the_versions_and_the_policy_for_the_block_of_public_access() -> None:
    lifecycle = stack().one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.depends_on == ("ingress-access-logs", "ingress-access-logs-versioning")
    policy = stack().one("aws:s3/bucketPolicy:BucketPolicy")
    assert policy.depends_on == ("ingress-access-logs", "ingress-access-logs-public-access")


ARCHIVED = {"logArchiveDays": 400}
ARCHIVE = f"atlantis-prod-log-archive-{ACCOUNT}-ap-northeast-2"
ARCHIVE_ARN = f"arn:aws:s3:::{ARCHIVE}"
STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
FILTER = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
KEY = arn_of("compute-logs-key")


def test_the_archive_s_permissions_exist_before_what_uses_them() -> None:
    graph = stack(**ARCHIVED)
    assert {"log-archive-role-policy", "log-archive-policy", "log-archive-encryption"} <= set(
        graph.one(STREAM).depends_on
    )
    assert "log-archive-delivery-role-policy" in graph.one(FILTER).depends_on


def test_the_bucket_is_reached_over_tls_only() -> None:
    (statement,) = stack(**ARCHIVED).one("aws:s3/bucketPolicy:BucketPolicy", "log-archive-policy").document()
    assert (statement["Sid"], statement["Effect"]) == ("DenyInsecureTransport", "Deny")


@pytest.mark.parametrize(
    ("label", "name", "trust", "rights"),
    [
        (
            "role",
            "atlantis-ecs-task-log-archive-prod",
            {
                "Principal": {"Service": "firehose.amazonaws.com"},
                "Condition": {"StringEquals": {"sts:ExternalId": ACCOUNT}},
            },
            {
                "WriteObjects": (["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], [f"{ARCHIVE_ARN}/*"]),
                "FindBucket": (
                    ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                    [ARCHIVE_ARN],
                ),
                "EncryptObjects": (["kms:Decrypt", "kms:GenerateDataKey"], [KEY]),
            },
        ),
        (
            "delivery-role",
            "atlantis-ecs-task-log-delivery-prod",
            {
                "Principal": {"Service": "logs.amazonaws.com"},
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": arn("logs", "*")},
                },
            },
            {
                "SendEvents": (
                    ["firehose:PutRecord", "firehose:PutRecordBatch"],
                    [arn("firehose", "deliverystream/atlantis-prod")],
                )
            },
        ),
    ],
)
def test_each_role_is_one_service_s_and_may_do_its_part_only(
    label: str, name: str, trust: dict[str, object], rights: dict[str, tuple[list[str], list[str]]]
) -> None:
    graph = stack(**ARCHIVED)
    role = graph.one(ROLE, f"log-archive-{label}")
    assert role.inputs["name"] == name
    assert role.document("assumeRolePolicy") == [{"Effect": "Allow", "Action": "sts:AssumeRole", **trust}]
    allowed = graph.one(ROLE_POLICY, f"log-archive-{label}-policy").document()
    assert {item["Sid"]: (item["Action"], item["Resource"]) for item in allowed} == rights


def test_the_log_s_key_admits_the_archive_through_its_services_only() -> None:
    statements = stack(**ARCHIVED).one("aws:kms/key:Key", "compute-logs-key").document()
    found = {item["Sid"]: (item["Action"], item.get("Condition")) for item in statements}
    assert found["ArchiveThroughS3"] == (
        ["kms:Decrypt", "kms:GenerateDataKey"],
        {"StringEquals": {"kms:ViaService": "s3.ap-northeast-2.amazonaws.com", "kms:CallerAccount": ACCOUNT}},
    )
    assert found["GrantToFirehose"] == (
        ["kms:CreateGrant"],
        {
            "StringEquals": {"kms:ViaService": "firehose.ap-northeast-2.amazonaws.com", "kms:CallerAccount": ACCOUNT},
            "Bool": {"kms:GrantIsForAWSResource": "true"},
        },
    )
