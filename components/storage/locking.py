"""Locking: the database for Atlantis' locks. With it, a deployment can start the new server before it stops the old."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import CustomerKey, through_service
from ..outputs import declared_outputs
from ..secrets.task_secret import KEY_USE, generated_value, task_secret

ENGINE, ENGINE_VERSION = "valkey", "8.0"
PASSWORD_KEY = "password"  # noqa: S105 (the JSON key, not a password)
PORT = 6379
NODES = 2
SNAPSHOTS_KEPT_DAYS = 7


class Locking(pulumi.ComponentResource):
    """A Valkey replication group in two zones, its password, and the KMS key of both."""

    host: pulumi.Output[str]
    """The primary endpoint, which resolves to the new primary after a failover."""
    password_secret_arn: pulumi.Output[str]
    """The secret whose JSON contains the key `PASSWORD_KEY`."""
    key_arn: pulumi.Output[str]
    """The KMS key that the execution role needs to decrypt the password."""

    def __init__(
        self,
        name: str,
        context: Context,
        private_subnet_ids: Sequence[pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`private_subnet_ids`: in at least two zones, because each node is in a different zone."""
        super().__init__("atlantis:index:Locking", name, None, opts)
        self._context = context
        self._private_subnet_ids, self._security_group_id = private_subnet_ids, security_group_id
        self._child = pulumi.ResourceOptions(parent=self)

        self.key_arn = self._key().arn
        secret = self._secret()
        password = generated_value(
            f"{name}-password", secret, PASSWORD_KEY, context.settings.storage.locking_password_generation, self
        )

        self.host = self._replication_group(password).primary_endpoint_address
        self.password_secret_arn = secret.arn
        # ElastiCache numbers the nodes of a replication group.
        self.node_ids = [f"{context.names.base}-{number:03}" for number in range(1, NODES + 1)]
        self.register_outputs(declared_outputs(self))

    def _key(self) -> CustomerKey:
        names = self._context.names
        store_use = [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ]
        return CustomerKey(
            f"{self.pulumi_resource_name}-key",
            self._context,
            store="locking",
            description=f"Atlantis {names.environment}: locks, their snapshots and the password of their database",
            users=[
                through_service(names, "UseThroughElastiCache", "elasticache", store_use),
                through_service(names, "UseThroughSecretsManager", "secretsmanager", KEY_USE),
            ],
            opts=self._child,
        )

    def _secret(self) -> aws.secretsmanager.Secret:
        return task_secret(
            f"{self.pulumi_resource_name}-password",
            self._context,
            physical_name=self._context.names.secret("redis"),
            description=f"Atlantis: password of the locking database ({PASSWORD_KEY}), generated",
            key_arn=self.key_arn,
            readers=self._context.settings.server.secret_reader_arns,
            parent=self,
        )

    def _replication_group(self, password: pulumi.Input[str]) -> aws.elasticache.ReplicationGroup:
        names = self._context.names
        subnet_group = aws.elasticache.SubnetGroup(
            f"{self.pulumi_resource_name}-subnets",
            name=names.base,
            description=f"Atlantis {names.environment}: subnets of the locking database",
            subnet_ids=self._private_subnet_ids,
            tags=self._context.tags,
            opts=self._child,
        )
        return aws.elasticache.ReplicationGroup(
            f"{self.pulumi_resource_name}-redis",
            replication_group_id=names.base,
            description=f"Atlantis {names.environment}: locks",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            node_type=self._context.settings.storage.locking_node_type,
            num_cache_clusters=NODES,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            port=PORT,
            subnet_group_name=subnet_group.name,
            security_group_ids=[self._security_group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=self.key_arn,
            # transit_encryption_mode isn't set, as it is for existing groups: a new group then requires TLS.
            transit_encryption_enabled=True,
            auth_token=password,
            # ROTATE keeps the old password valid, so the running task keeps its connection until it is replaced.
            auth_token_update_strategy="ROTATE",  # noqa: S106 (no secret)
            snapshot_name=self._context.settings.storage.locking_snapshot_name,
            snapshot_retention_limit=SNAPSHOTS_KEPT_DAYS,
            auto_minor_version_upgrade=True,
            # Otherwise ElastiCache sets a new password in the maintenance window, and the new task would wait for it.
            apply_immediately=True,
            tags=self._context.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._context.deletion_protection,
                delete_before_replace=True,  # its name would be taken
                # ElastiCache upgrades the minor version automatically, and rejects a downgrade.
                ignore_changes=["engineVersion"],
            ),
        )
