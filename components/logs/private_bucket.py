"""A private S3 bucket: only its policy and IAM allow access, and its objects expire after a number of days."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..policy_documents import Statement, deny_insecure_transport, document


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrivateBucket:
    """The bucket, and the resources that must exist before a service writes to it."""

    bucket: aws.s3.Bucket
    ready: Sequence[pulumi.Resource]


def private_bucket(
    name: str,
    context: Context,
    *,
    physical_name: str,
    kept_days: int,
    key_arn: pulumi.Input[str] | None,
    statements: Sequence[Statement] = (),
    parent: pulumi.Resource,
) -> PrivateBucket:
    """An encrypted, versioned bucket without public access or ACLs, over TLS only. Its resources are children of `parent`.

    `key_arn`: the KMS key that encrypts it; None for S3 managed keys (SSE-S3). `statements`: bucket policy statements that allow
    access to principals other than this account's.
    """
    child = pulumi.ResourceOptions(parent=parent)
    arn = context.names.bucket_arn(physical_name)
    bucket = aws.s3.Bucket(
        name,
        bucket=physical_name,
        force_destroy=not context.deletion_protection,
        tags=context.tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=context.deletion_protection),
    )
    block = aws.s3.BucketPublicAccessBlock(
        f"{name}-public-access",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    aws.s3.BucketOwnershipControls(
        f"{name}-ownership", bucket=bucket.bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
            if key_arn is None
            else {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": key_arn,
                },
                "bucket_key_enabled": True,
            }
        ],
        opts=child,
    )
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=child
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": kept_days},
                "noncurrent_version_expiration": {"noncurrent_days": 1},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
        # S3 accepts a rule for noncurrent versions only if versioning is enabled.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[versioning]),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=document([*statements, deny_insecure_transport(["s3:*"], [arn, f"{arn}/*"])]),
        # Concurrent calls that change a bucket's access conflict.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[block]),
    )
    return PrivateBucket(bucket=bucket, ready=[policy, encryption])
