"""The access logs' bucket: private, encrypted, and written to by this account's load balancers only."""

from tests.unit.stacks import arn, stack

BUCKET = "atlantis-prod-access-logs-123456789012-ap-northeast-2"
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"


def test_the_bucket_is_private() -> None:
    assert stack().one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs == {
        "bucket": BUCKET,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }


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
