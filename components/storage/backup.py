"""Backup: a daily backup of the file system in a vault with its own key, kept for `backupRetentionDays`."""

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import CustomerKey, through_service
from ..policy_documents import deny, document

SCHEDULE = "cron(0 5 ? * * *)"
"""Every day at 05:00 UTC, as EFS' automatic backups."""
_MANAGED_POLICIES = {
    label: f"service-role/AWSBackupServiceRolePolicyFor{label.capitalize()}" for label in ("backup", "restores")
}
"""AWS' own, because the calls change with AWS Backup's versions, and a missing permission is noticed only at a restore:
https://docs.aws.amazon.com/aws-backup/latest/devguide/iam-service-roles.html."""


class Backup(pulumi.ComponentResource):
    """The vault and its key, the plan, and the role with which AWS Backup backs the file system up and restores it."""

    def __init__(
        self, name: str, context: Context, file_system_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("atlantis:index:Backup", name, None, opts)
        names, child = context.names, pulumi.ResourceOptions(parent=self)
        key = CustomerKey(
            f"{name}-key",
            context,
            store="backup",
            description=f"Atlantis {names.environment}: backups of the file system",
            users=[
                through_service(
                    names,
                    "UseThroughBackup",
                    "backup",
                    # https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html
                    ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
                )
            ],
            opts=child,
        )
        vault = aws.backup.Vault(
            f"{name}-vault",
            name=names.base,
            kms_key_arn=key.arn,
            force_destroy=not context.deletion_protection,
            tags=context.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=context.deletion_protection),
        )
        if context.deletion_protection:
            # As in the vault of EFS' automatic backups, but the policy itself can be deleted, for an uninstall.
            kept = ["backup:DeleteBackupVault", "backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"]
            aws.backup.VaultPolicy(
                f"{name}-vault-policy",
                backup_vault_name=vault.name,
                policy=document([deny("KeepRecoveryPoints", kept, ["*"]) | {"Principal": {"AWS": "*"}}]),
                opts=child,
            )
        role = aws.iam.Role(
            f"{name}-role",
            name=names.backup_role,
            description=f"Atlantis {names.environment}: backs up the file system and restores it",
            # As AWSBackupDefaultServiceRole: AWS documents no condition key that AWS Backup sends when it assumes a role.
            assume_role_policy=document(
                [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]
            ),
            tags=context.tags,
            opts=child,
        )
        may_back_up = [
            aws.iam.RolePolicyAttachment(
                f"{name}-role-{label}", role=role.name, policy_arn=names.aws_policy_arn(path), opts=child
            )
            for label, path in _MANAGED_POLICIES.items()
        ]
        plan = aws.backup.Plan(
            f"{name}-plan",
            name=names.base,
            rules=[
                {
                    "rule_name": "daily",
                    "target_vault_name": vault.name,
                    "schedule": SCHEDULE,
                    # AWS' own defaults, in minutes. The provider's are 60 and 180, after which AWS Backup cancels a backup.
                    "start_window": 480,
                    "completion_window": 10080,
                    "lifecycle": {"delete_after": context.settings.storage.backup_retention_days},
                    "recovery_point_tags": context.tags,
                }
            ],
            tags=context.tags,
            opts=child,
        )
        aws.backup.Selection(
            f"{name}-selection",
            name=names.base,
            plan_id=plan.id,
            iam_role_arn=role.arn,
            resources=[file_system_arn],
            # Every change replaces it, and its name would be taken.
            opts=pulumi.ResourceOptions(parent=self, depends_on=may_back_up, delete_before_replace=True),
        )
        self.register_outputs({})
