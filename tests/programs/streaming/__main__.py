"""Clicks from a stream to a bucket through Firehose."""

import json

import pulumi_aws as aws


def tls_only(bucket: str) -> str:
    """A policy that denies requests without TLS."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


stream = aws.kinesis.Stream("clicks", encryption_type="KMS", kms_key_id="alias/aws/kinesis", shard_count=1)
bucket = aws.s3.Bucket("clicks", bucket="acme-clicks")
aws.s3.BucketPolicy("clicks", bucket=bucket.bucket, policy=tls_only("acme-clicks"))
role = "arn:aws:iam::123456789012:role/firehose"
aws.kinesis.FirehoseDeliveryStream(
    "clicks",
    destination="extended_s3",
    kinesis_source_configuration={"kinesis_stream_arn": stream.arn, "role_arn": role},
    extended_s3_configuration={"bucket_arn": bucket.arn, "role_arn": role},
)
