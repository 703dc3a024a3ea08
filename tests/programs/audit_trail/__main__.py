"""A trail of the account, with its log bucket and the bucket of a load balancer's logs."""

import json

import pulumi_aws as aws


def tls_only(bucket: str) -> str:
    """A policy that denies requests without TLS."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


for name in ("acme-trail", "acme-balancer-logs"):
    bucket = aws.s3.Bucket(name, bucket=name)
    aws.s3.BucketPolicy(name, bucket=bucket.bucket, policy=tls_only(name))
aws.cloudtrail.Trail(
    "account", s3_bucket_name="acme-trail", is_multi_region_trail=True, enable_log_file_validation=True
)
aws.lb.LoadBalancer("edge", internal=True, access_logs={"bucket": "acme-balancer-logs", "enabled": True})
