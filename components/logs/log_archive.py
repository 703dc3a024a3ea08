"""LogArchive: the task's log in a bucket, for longer than CloudWatch keeps it.

A subscription filter of the log group sends the log events to a delivery stream, and Firehose writes them to the bucket.
The objects contain JSON that CloudWatch Logs compresses with gzip, and have a prefix for each day. For years of logs, CloudWatch
Logs costs several times as much as S3, and can be deleted with one call. An export task would have to start every day.
"""

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import through_service
from ..names import PhysicalNames
from ..policy_documents import Statement, allow, trusted_service
from ..service_role import service_role
from .private_bucket import private_bucket

BUFFER_MIB, BUFFER_SECONDS = 64, 900
"""Firehose writes an object when either limit is reached, so the archive can lag behind the log by 15 minutes."""


class LogArchive(pulumi.ComponentResource):
    """The bucket, the delivery stream and the subscription filter."""

    def __init__(
        self,
        name: str,
        context: Context,
        *,
        log_group_name: pulumi.Input[str],
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """`key_arn`: the log group's key, whose policy contains `key_users`."""
        super().__init__("atlantis:index:LogArchive", name, None, opts)
        self._context, self._key_arn = context, key_arn
        self._child = pulumi.ResourceOptions(parent=self)
        names = context.names

        bucket = private_bucket(
            name,
            context,
            physical_name=names.log_archive_bucket,
            kept_days=context.settings.operations.log_archive_days,
            key_arn=key_arn,
            parent=self,
        )
        writer, may_write = self._role(
            "role", names.log_archive_role, "writes the task's log to its bucket", *self._firehose()
        )
        stream = aws.kinesis.FirehoseDeliveryStream(
            f"{name}-stream",
            name=names.base,
            destination="extended_s3",
            extended_s3_configuration={
                "bucket_arn": bucket.bucket.arn,
                "role_arn": writer.arn,
                "prefix": "log/!{timestamp:yyyy/MM/dd}/",
                "error_output_prefix": "undelivered/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
                "buffering_size": BUFFER_MIB,
                "buffering_interval": BUFFER_SECONDS,
                # CloudWatch Logs has already compressed the events with gzip.
                "compression_format": "UNCOMPRESSED",
                "kms_key_arn": key_arn,
            },
            server_side_encryption={
                "enabled": True,
                "key_type": "CUSTOMER_MANAGED_CMK",
                "key_arn": key_arn,
            },
            tags=context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_write, *bucket.ready]),
        )
        sender, may_send = self._role(
            "delivery-role", names.log_delivery_role, "sends the task's log to its delivery stream", *self._logs()
        )
        aws.cloudwatch.LogSubscriptionFilter(
            f"{name}-subscription",
            name=names.base,
            log_group=log_group_name,
            filter_pattern="",
            destination_arn=stream.arn,
            role_arn=sender.arn,
            # CloudWatch Logs sends a test message when the filter is created.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_send]),
        )
        self.register_outputs({})

    def _role(
        self, label: str, physical_name: str, purpose: str, trust: Statement, rights: list[Statement]
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        return service_role(
            f"{self.pulumi_resource_name}-{label}",
            self._context,
            physical_name=physical_name,
            purpose=purpose,
            trust=trust,
            policy_name="deliver-log",
            statements=rights,
            opts=self._child,
        )

    def _firehose(self) -> tuple[Statement, list[Statement]]:
        """https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3."""
        names = self._context.names
        bucket = names.bucket_arn(names.log_archive_bucket)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "firehose.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": names.account}},
        }
        rights = [
            allow(
                "WriteObjects",
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                [f"{bucket}/*"],
            ),
            allow("FindBucket", ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [bucket]),
            allow(
                "EncryptObjects",
                ["kms:Decrypt", "kms:GenerateDataKey"],
                [self._key_arn],
                {"StringEquals": {"kms:ViaService": names.via("s3")}},
            ),
        ]
        return trust, rights

    def _logs(self) -> tuple[Statement, list[Statement]]:
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample."""
        names = self._context.names
        trust = trusted_service(names, "logs", names.arn("logs", "*"))
        stream = names.arn("firehose", f"deliverystream/{names.base}")
        return trust, [allow("SendEvents", ["firehose:PutRecord", "firehose:PutRecordBatch"], [stream])]


def key_users(names: PhysicalNames) -> list[Statement]:
    """Key policy statements for the archive: objects in S3, and the stream's buffer, which Firehose uses by a grant."""
    grant = through_service(names, "GrantToFirehose", "firehose", ["kms:CreateGrant"])
    grant["Condition"]["Bool"] = {"kms:GrantIsForAWSResource": "true"}
    return [through_service(names, "ArchiveThroughS3", "s3", ["kms:Decrypt", "kms:GenerateDataKey"]), grant]
