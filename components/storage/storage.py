"""Storage: the file system for Atlantis' locks and working copies, and the repository of its image."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import CustomerKey, through_service
from ..outputs import declared_outputs
from ..policy_documents import deny, deny_insecure_transport, document, document_of_outputs, only_roles
from .backup import Backup

IMAGES_KEPT = 10
UNTAGGED_DAYS = 7
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Drop untagged images after {UNTAGGED_DAYS} days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"Keep the last {IMAGES_KEPT} versions",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPrefixList": ["v"],
                    "countType": "imageCountMoreThan",
                    "countNumber": IMAGES_KEPT,
                },
                "action": {"type": "expire"},
            },
        ]
    }
)


class Storage(pulumi.ComponentResource):
    """An EFS file system with access point and mount targets, and an ECR repository, each with its own KMS key."""

    file_system_id: pulumi.Output[str]
    file_system_arn: pulumi.Output[str]
    file_system_dns_name: pulumi.Output[str]
    access_point_id: pulumi.Output[str]
    access_point_arn: pulumi.Output[str]
    repository_url: pulumi.Output[str]
    repository_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        context: Context,
        private_subnets: Mapping[str, pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`private_subnets`: one for each zone, by the zone, which is part of the logical name of its mount target."""
        super().__init__("atlantis:index:Storage", name, None, opts)
        self._context, self._settings = context, context.settings.storage
        self._private_subnets, self._security_group_id = private_subnets, security_group_id
        self._child = pulumi.ResourceOptions(parent=self)
        self._keeps_data = pulumi.ResourceOptions(parent=self, protect=context.deletion_protection)

        file_system = self._file_system()
        access_point = self._access_point(file_system)
        self._file_system_policy(file_system, access_point)
        self._mount_targets(file_system)
        self._backup(file_system)
        repository = self._repository()

        self.file_system_id = file_system.id
        self.file_system_arn = file_system.arn
        self.file_system_dns_name = file_system.dns_name
        self.access_point_id = access_point.id
        self.access_point_arn = access_point.arn
        self.repository_url = repository.repository_url
        self.repository_arn = repository.arn
        self.register_outputs(declared_outputs(self))

    def _key(self, store: str, description: str, actions: Sequence[str], service: str) -> CustomerKey:
        names = self._context.names
        return CustomerKey(
            f"{self.pulumi_resource_name}-{store}-key",
            self._context,
            store=store,
            description=description,
            users=[through_service(names, f"UseThrough{store.capitalize()}", service, actions)],
            opts=self._child,
        )

    def _file_system(self) -> aws.efs.FileSystem:
        names = self._context.names
        # The key exists in both modes, so that a file system with this key can later replace one with the AWS managed key.
        key = self._key(
            "efs",
            f"Atlantis {names.environment}: data of the file system",
            [
                "kms:CreateGrant",
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "elasticfilesystem",
        )
        return aws.efs.FileSystem(
            f"{self.pulumi_resource_name}-efs",
            encrypted=True,
            kms_key_id=key.arn if self._settings.efs_encryption_key == "customer" else None,
            performance_mode="generalPurpose",
            throughput_mode=self._settings.efs_throughput_mode,
            lifecycle_policies=[
                {"transition_to_ia": "AFTER_30_DAYS"},
                {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
            ],
            tags=self._context.tags | {"Name": names.base},
            opts=self._keeps_data,
        )

    def _access_point(self, file_system: aws.efs.FileSystem) -> aws.efs.AccessPoint:
        settings = self._settings
        uid, gid = settings.posix_uid, settings.posix_gid
        return aws.efs.AccessPoint(
            f"{self.pulumi_resource_name}-access-point",
            file_system_id=file_system.id,
            posix_user={"uid": uid, "gid": gid},
            root_directory={
                "path": settings.efs_root_directory,
                "creation_info": {"owner_uid": uid, "owner_gid": gid, "permissions": "755"},
            },
            tags=self._context.tags | {"Name": self._context.names.base},
            # Not protected: it holds no data, and a restore replaces it.
            opts=self._child,
        )

    def _file_system_policy(self, file_system: aws.efs.FileSystem, access_point: aws.efs.AccessPoint) -> None:
        """Deny mounts without the access point, as root, or without TLS, whatever a role's own policies allow.

        All statements are Deny. EFS allows what either the file system policy or the role's policy allows, and the task role's
        policy allows its mount. EFS evaluates only the condition keys AccessPointArn, AccessedViaMountTarget,
        aws:SecureTransport and aws:SourceIp, so a statement can't deny all roles except one:
        https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
        """
        mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        as_root = ["elasticfilesystem:ClientRootAccess"]
        everybody = {"Principal": {"AWS": "*"}}
        bypassing = {"StringNotEquals": {"elasticfilesystem:AccessPointArn": access_point.arn}}
        directly = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}
        aws.efs.FileSystemPolicy(
            f"{self.pulumi_resource_name}-efs-policy",
            file_system_id=file_system.id,
            policy=document_of_outputs(
                [
                    deny("DenyOtherAccessPoints", mount, [file_system.arn], bypassing) | everybody,
                    deny("DenyOtherNetworks", mount, [file_system.arn], directly) | everybody,
                    deny("DenyRoot", as_root, [file_system.arn]) | everybody,
                    deny_insecure_transport(["*"], [file_system.arn]),
                ],
                policy_id=self._context.names.base,
            ),
            opts=self._child,
        )

    def _backup(self, file_system: aws.efs.FileSystem) -> None:
        """Back the file system up every day: into the stack's vault, or into that of EFS."""
        in_own_vault = self._settings.backup_retention_days > 0
        if in_own_vault:
            Backup(f"{self.pulumi_resource_name}-backup", self._context, file_system.arn, self._child)
        aws.efs.BackupPolicy(
            f"{self.pulumi_resource_name}-backup",
            file_system_id=file_system.id,
            backup_policy={"status": "DISABLED" if in_own_vault else "ENABLED"},
            opts=self._child,
        )

    def _mount_targets(self, file_system: aws.efs.FileSystem) -> list[aws.efs.MountTarget]:
        return [
            aws.efs.MountTarget(
                f"{self.pulumi_resource_name}-mount-target-{zone}",
                file_system_id=file_system.id,
                subnet_id=subnet_id,
                security_groups=[self._security_group_id],
                opts=pulumi.ResourceOptions(
                    parent=self,
                    # EFS allows one mount target per zone.
                    delete_before_replace=True,
                    # Until 1.0.0, the name contained the position, so reordering the subnets replaced them.
                    aliases=[pulumi.Alias(name=f"{self.pulumi_resource_name}-mount-target-{position}")]
                    if zone != str(position)
                    else None,
                ),
            )
            for position, (zone, subnet_id) in enumerate(self._private_subnets.items(), start=1)
        ]

    def _repository(self) -> aws.ecr.Repository:
        names, tags = self._context.names, self._context.tags
        key = self._key(
            "ecr",
            f"Atlantis {names.environment}: layers of the image",
            ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:RetireGrant"],
            "ecr",
        )
        repository = aws.ecr.Repository(
            f"{self.pulumi_resource_name}-repository",
            name=names.repository,
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": key.arn}],
            image_scanning_configuration={"scan_on_push": True},
            image_tag_mutability="IMMUTABLE",
            force_delete=not self._context.deletion_protection,
            tags=tags,
            opts=self._keeps_data,
        )
        aws.ecr.LifecyclePolicy(
            f"{self.pulumi_resource_name}-lifecycle",
            repository=repository.name,
            policy=LIFECYCLE,
            # A change replaces it, and a repository has only one: deleting the old one last would delete the new one.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        pull = {"Sid": "PullForTasks", "Effect": "Allow", "Action": PULL}
        aws.ecr.RepositoryPolicy(
            f"{self.pulumi_resource_name}-repository-policy",
            repository=repository.name,
            policy=document([pull | only_roles(names, names.execution_role)]),
            opts=self._child,
        )
        return repository
