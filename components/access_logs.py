"""AccessLogs: the bucket for the load balancer's access logs."""

import dataclasses

import pulumi
import pulumi_aws as aws

from .context import Context
from .policy_documents import document, refuse_plain_transport

KEPT_DAYS = 90


@dataclasses.dataclass(kw_only=True)
class AccessLogsArgs:
    """Whose requests are logged."""

    context: Context


class AccessLogs(pulumi.ComponentResource):
    """A private bucket that only this account's load balancers may write to."""

    bucket: pulumi.Output[str]
    policy: pulumi.Resource
    """What must exist before a load balancer can write."""

    def __init__(self, name: str, args: AccessLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:AccessLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = args.context.names
        arn = names.bucket_arn(names.access_log_bucket)
        bucket = aws.s3.Bucket(
            name,
            bucket=names.access_log_bucket,
            force_destroy=not args.context.deletion_protection,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.context.deletion_protection),
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
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            # The load balancer can't write under a customer key.
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
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
                    "expiration": {"days": KEPT_DAYS},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                }
            ],
            # S3 takes a rule about noncurrent versions only from a bucket that has versions.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        delivery = {
            "Sid": "DeliverAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": ["s3:PutObject"],
            "Resource": [f"{arn}/AWSLogs/{names.account}/*"],
            # AWS' documented policy has no condition: some deliveries, the test file at creation among them, name no source.
            "Condition": {
                "StringEqualsIfExists": {"aws:SourceAccount": names.account},
                "ArnLikeIfExists": {"aws:SourceArn": names.arn("elasticloadbalancing", "loadbalancer/*")},
            },
        }
        self.policy = aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=document([delivery, refuse_plain_transport(["s3:*"], [arn, f"{arn}/*"])]),
            # Two calls that change a bucket's access at the same time conflict.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )
        self.bucket = bucket.bucket
        self.register_outputs({"bucket": self.bucket})
