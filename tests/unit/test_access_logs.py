"""The access logs' bucket: private, encrypted, and written to by this account's load balancers only."""

from typing import Any

import pytest

from tests.unit.stacks import BARE, TAGS, arn, stack

BUCKET = "atlantis-prod-access-logs-123456789012-ap-northeast-2"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"


def test_the_bucket_is_kept_with_its_logs() -> None:
    bucket = stack().one("aws:s3/bucket:Bucket")
    assert bucket.inputs == {"bucket": BUCKET, "forceDestroy": False, "tags": TAGS}
    assert (bucket.parent, bucket.protect) == ("ingress-access-logs", True)


def test_without_deletion_protection_the_bucket_goes_with_its_logs() -> None:
    bucket = stack(**BARE).one("aws:s3/bucket:Bucket")
    assert (bucket.inputs["forceDestroy"], bucket.protect) == (True, False)


@pytest.mark.parametrize(
    ("resource_type", "inputs"),
    [
        (
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            {
                "blockPublicAcls": True,
                "blockPublicPolicy": True,
                "ignorePublicAcls": True,
                "restrictPublicBuckets": True,
            },
        ),
        (
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        ),
        (
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        ),
        ("aws:s3/bucketVersioning:BucketVersioning", {"versioningConfiguration": {"status": "Enabled"}}),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {
                "rules": [
                    {
                        "id": "expire",
                        "status": "Enabled",
                        "filter": {"prefix": ""},
                        "expiration": {"days": 90},
                        "noncurrentVersionExpiration": {"noncurrentDays": 1},
                        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
                    }
                ]
            },
        ),
    ],
    ids=["no public access", "no ACLs", "encrypted", "versions", "90 days"],
)
def test_the_bucket_is_private_encrypted_and_forgets(resource_type: str, inputs: dict[str, Any]) -> None:
    resource = stack().one(resource_type)
    assert resource.inputs == {"bucket": BUCKET} | inputs
    assert resource.parent == "ingress-access-logs"


def test_the_lifecycle_waits_for_the_versions_that_it_is_about() -> None:
    lifecycle = stack().one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert lifecycle.depends_on == ("ingress-access-logs", "ingress-access-logs-versioning")


def test_only_load_balancers_of_the_account_write_and_only_over_tls() -> None:
    policy = stack().one("aws:s3/bucketPolicy:BucketPolicy")
    assert policy.decoded == {
        "bucket": BUCKET,
        "policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "DeliverAccessLogs",
                    "Effect": "Allow",
                    "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                    "Action": ["s3:PutObject"],
                    "Resource": [f"{BUCKET_ARN}/AWSLogs/123456789012/*"],
                    "Condition": {
                        "StringEqualsIfExists": {"aws:SourceAccount": "123456789012"},
                        "ArnLikeIfExists": {"aws:SourceArn": arn("elasticloadbalancing", "loadbalancer/*")},
                    },
                },
                {
                    "Sid": "DenyInsecureTransport",
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": ["s3:*"],
                    "Resource": [BUCKET_ARN, f"{BUCKET_ARN}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        },
    }
    assert policy.depends_on == ("ingress-access-logs", "ingress-access-logs-public-access")
