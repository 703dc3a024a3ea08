"""A bucket that nobody reaches but those whom its policy and IAM name, and that keeps what it holds for so many days."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from .context import Context
from .policy_documents import Statement, document, refuse_plain_transport


@dataclasses.dataclass(kw_only=True)
class PrivateBucketArgs:
    """What the bucket is called, and how it keeps what it holds."""

    context: Context
    physical_name: str
    kept_days: int
    key_arn: pulumi.Input[str] | None
    """The KMS key that encrypts it; None for the key of S3 itself."""
    statements: Sequence[Statement] = ()
    """Who besides this account's principals reaches it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrivateBucket:
    """The bucket, and what has to exist before anybody writes to it."""

    bucket: aws.s3.Bucket
    ready: Sequence[pulumi.Resource]


def private_bucket(name: str, args: PrivateBucketArgs, parent: pulumi.Resource) -> PrivateBucket:
    """A bucket without public access or ACLs, encrypted, with versions, over TLS only; its resources are children of `parent`."""
    child = pulumi.ResourceOptions(parent=parent)
    arn = args.context.names.bucket_arn(args.physical_name)
    bucket = aws.s3.Bucket(
        name,
        bucket=args.physical_name,
        force_destroy=not args.context.deletion_protection,
        tags=args.context.tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=args.context.deletion_protection),
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
            if args.key_arn is None
            else {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": args.key_arn,
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
                "expiration": {"days": args.kept_days},
                "noncurrent_version_expiration": {"noncurrent_days": 1},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
        # S3 takes a rule about noncurrent versions only from a bucket that has versions.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[versioning]),
    )
    policy = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=document([*args.statements, refuse_plain_transport(["s3:*"], [arn, f"{arn}/*"])]),
        # Two calls that change a bucket's access at the same time conflict.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[block]),
    )
    return PrivateBucket(bucket=bucket, ready=[policy, encryption])
