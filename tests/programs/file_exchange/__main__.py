"""Files from partners over SFTP into a bucket, in the partition of China."""

import json

import pulumi_aws as aws

resources = ["arn:aws-cn:s3:::acme-exchange", "arn:aws-cn:s3:::acme-exchange/*"]
condition = {"Bool": {"aws:SecureTransport": "false"}}
statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition}
bucket = aws.s3.Bucket("exchange", bucket="acme-exchange")
aws.s3.BucketPolicy(
    "exchange", bucket=bucket.bucket, policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
)
aws.transfer.Server("exchange", protocols=["SFTP"], endpoint_type="PUBLIC", identity_provider_type="SERVICE_MANAGED")
aws.cloudwatch.LogGroup("exchange", name="/transfer/exchange", retention_in_days=90)
