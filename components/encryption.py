"""CustomerKey: a KMS key with rotation, an alias and a key policy that lists its users."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from .context import Context
from .names import PhysicalNames
from .outputs import declared_outputs
from .policy_documents import Statement, document

ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
"""The key actions of the account's administrators: everything but cryptographic operations."""


class CustomerKey(pulumi.ComponentResource):
    """A customer managed KMS key."""

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        context: Context,
        *,
        store: str,
        description: str,
        users: Sequence[Statement],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """`store`: what it encrypts, part of its alias. `users`: statements that allow principals to use it, without `Resource`."""
        super().__init__("atlantis:index:CustomerKey", name, None, opts)
        administrators: Statement = {
            "Sid": "AdministerThroughIam",
            "Effect": "Allow",
            "Principal": {"AWS": context.names.account_root},
            "Action": ADMINISTRATION,
        }
        key = aws.kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            deletion_window_in_days=30,
            # In a key policy, `*` is the key that the policy is attached to.
            policy=document([statement | {"Resource": "*"} for statement in (administrators, *users)]),
            tags=context.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=context.deletion_protection),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=context.names.key_alias(store),
            target_key_id=key.key_id,
            # An update that fails after a new name would leave the old alias behind, and its name taken for the way back.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.arn = key.arn
        self.register_outputs(declared_outputs(self))


def through_service(names: PhysicalNames, sid: str, service: str, actions: Sequence[str]) -> Statement:
    """Allow every principal with IAM permissions for the key to use it, but only through one AWS service."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": names.account_root},
        "Action": list(actions),
        "Condition": {"StringEquals": {"kms:ViaService": names.via(service), "kms:CallerAccount": names.account}},
    }


def by_cloudwatch_logs(names: PhysicalNames, *log_groups: str) -> Statement:
    """Allow CloudWatch Logs to use the key, for these log groups."""
    arns = [names.arn("logs", f"log-group:{group}") for group in log_groups]
    return {
        "Sid": "EncryptLogs",
        "Effect": "Allow",
        "Principal": {"Service": names.via("logs")},
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arns if arns[1:] else arns[0]}},
    }
