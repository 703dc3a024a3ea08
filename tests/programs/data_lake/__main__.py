"""A data lake: buckets under one key, streams into them, a catalogue, queries and a warehouse."""

import json

import pulumi
import pulumi_aws as aws

TAGS = {"Environment": "dev", "Owner": "analytics"}

key = aws.kms.Key("lake", enable_key_rotation=True, deletion_window_in_days=30, tags=TAGS)


def bucket(name: str, logs: pulumi.Input[str] | None = None) -> aws.s3.Bucket:
    """A private bucket that is encrypted, versioned and reached over TLS only."""
    made = aws.s3.Bucket(name, bucket=f"example-lake-{name}", tags=TAGS)
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=made.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    aws.s3.BucketServerSideEncryptionConfiguration(
        name,
        bucket=made.id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}}],
    )
    aws.s3.BucketVersioning(name, bucket=made.id, versioning_configuration={"status": "Enabled"})
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [made.arn, pulumi.Output.concat(made.arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    aws.s3.BucketPolicy(
        name, bucket=made.id, policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    if logs is not None:
        aws.s3.BucketLogging(name, bucket=made.id, target_bucket=logs, target_prefix=f"{name}/")
    return made


access_logs = bucket("access-logs")
raw = bucket("raw", access_logs.id)
curated = bucket("curated", access_logs.id)
role = aws.iam.Role(
    "delivery",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
    tags=TAGS,
)
clicks = aws.kinesis.Stream("clicks", shard_count=2, encryption_type="KMS", kms_key_id=key.arn, tags=TAGS)
aws.kinesis.FirehoseDeliveryStream(
    "clicks",
    destination="extended_s3",
    kinesis_source_configuration={"kinesis_stream_arn": clicks.arn, "role_arn": role.arn},
    extended_s3_configuration={"bucket_arn": raw.arn, "role_arn": role.arn, "kms_key_arn": key.arn},
    tags=TAGS,
)
aws.glue.CatalogDatabase("lake", name="lake", tags=TAGS)
aws.glue.DataCatalogEncryptionSettings(
    "lake",
    data_catalog_encryption_settings={
        "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS", "sse_aws_kms_key_id": key.arn},
        "connection_password_encryption": {"return_connection_password_encrypted": True, "aws_kms_key_id": key.arn},
    },
)
aws.glue.SecurityConfiguration(
    "jobs",
    encryption_configuration={
        "cloudwatch_encryption": {"cloudwatch_encryption_mode": "SSE-KMS", "kms_key_arn": key.arn},
        "job_bookmarks_encryption": {"job_bookmarks_encryption_mode": "CSE-KMS", "kms_key_arn": key.arn},
        "s3_encryption": {"s3_encryption_mode": "SSE-KMS", "kms_key_arn": key.arn},
    },
)
aws.athena.Workgroup(
    "analysts",
    configuration={
        "result_configuration": {
            "output_location": pulumi.Output.concat("s3://", curated.bucket, "/results/"),
            "encryption_configuration": {"encryption_option": "SSE_KMS", "kms_key_arn": key.arn},
        }
    },
    tags=TAGS,
)
warehouse = aws.redshift.Cluster(
    "warehouse",
    cluster_identifier="warehouse",
    node_type="ra3.large",
    master_username="administrator",
    manage_master_password=True,
    kms_key_id=key.arn,
    publicly_accessible=False,
    tags=TAGS,
)
aws.redshift.ParameterGroup(
    "warehouse", family="redshift-1.0", parameters=[{"name": "require_ssl", "value": "true"}], tags=TAGS
)
aws.cloudwatch.LogGroup("jobs", retention_in_days=30, kms_key_id=key.arn, tags=TAGS)
