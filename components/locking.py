"""Locking: the database that holds Atlantis' locks, so that two servers can follow each other without a gap."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from .context import Context
from .encryption import CustomerKey, CustomerKeyArgs, through_service
from .settings.groups import StorageSettings
from .task_secret import KEY_USE, TaskSecretArgs, generated_value, task_secret

ENGINE, ENGINE_VERSION = "valkey", "8.0"
PASSWORD_KEY = "password"  # noqa: S105 (the JSON key, not a password)
PORT = 6379
NODES = 2
SNAPSHOTS_KEPT_DAYS = 7


@dataclasses.dataclass(frozen=True, kw_only=True)
class LockingDatabase:
    """How the task reaches the database that locks are kept in."""

    host: pulumi.Input[str]
    """The primary's name, which follows a failover."""
    port: int
    password_secret_arn: pulumi.Input[str]
    """The secret whose JSON has `PASSWORD_KEY`."""


@dataclasses.dataclass(kw_only=True)
class LockingArgs:
    """The database's network and size, and the readers of its password."""

    context: Context
    private_subnet_ids: Sequence[pulumi.Input[str]]
    """In two zones at least: each node is in one of its own."""
    security_group_id: pulumi.Input[str]
    settings: StorageSettings
    """Node type, and generation of the password: the password before it stays valid until the next."""
    password_readers: Sequence[str]
    """ARN patterns of principals besides the execution role that may read the password: those that deploy."""
    terraform_roles: Sequence[str]
    """Names, as patterns, of the roles that Terraform manages: refused on the password."""


class Locking(pulumi.ComponentResource):
    """A Valkey replication group over two zones, its password and the key of both."""

    database: LockingDatabase
    key_arn: pulumi.Output[str]
    """What the execution role has to decrypt the password with."""

    def __init__(self, name: str, args: LockingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Locking", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        self.key_arn = self._key().arn
        secret = self._secret()
        password = generated_value(
            f"{name}-password", secret, PASSWORD_KEY, args.settings.locking_password_generation, self
        )
        replication_group = self._replication_group(password)

        self.database = LockingDatabase(
            host=replication_group.primary_endpoint_address, port=PORT, password_secret_arn=secret.arn
        )
        # ElastiCache numbers the nodes of a group.
        self.node_ids = [f"{args.context.names.base}-{number:03}" for number in range(1, NODES + 1)]
        self.register_outputs({"host": self.database.host, "passwordSecretArn": secret.arn})

    def _key(self) -> CustomerKey:
        names = self._args.context.names
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
            f"{self._name}-key",
            CustomerKeyArgs(
                context=self._args.context,
                store="locking",
                description=f"Atlantis {names.environment}: locks, their snapshots and the password of their database",
                users=[
                    through_service(names, "UseThroughElastiCache", "elasticache", store_use),
                    through_service(names, "UseThroughSecretsManager", "secretsmanager", KEY_USE),
                ],
            ),
            self._child,
        )

    def _secret(self) -> aws.secretsmanager.Secret:
        args = self._args
        return task_secret(
            f"{self._name}-password",
            TaskSecretArgs(
                context=args.context,
                physical_name=args.context.names.redis_secret,
                description=f"Atlantis: password of the locking database ({PASSWORD_KEY}), generated",
                key_arn=self.key_arn,
                readers=args.password_readers,
                terraform_roles=args.terraform_roles,
                deployers=args.password_readers,
            ),
            self,
        )

    def _replication_group(self, password: pulumi.Input[str]) -> aws.elasticache.ReplicationGroup:
        args, names = self._args, self._args.context.names
        subnet_group = aws.elasticache.SubnetGroup(
            f"{self._name}-subnets",
            name=names.base,
            description=f"Atlantis {names.environment}: subnets of the locking database",
            subnet_ids=args.private_subnet_ids,
            tags=args.context.tags,
            opts=self._child,
        )
        return aws.elasticache.ReplicationGroup(
            f"{self._name}-redis",
            replication_group_id=names.base,
            description=f"Atlantis {names.environment}: locks",
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            node_type=args.settings.locking_node_type,
            num_cache_clusters=NODES,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            port=PORT,
            subnet_group_name=subnet_group.name,
            security_group_ids=[args.security_group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=self.key_arn,
            # Without a mode, which is for changing a group that exists: a new group requires TLS.
            transit_encryption_enabled=True,
            auth_token=password,
            # A new password is valid beside the old one: the task that runs keeps its connection until it is replaced.
            auth_token_update_strategy="ROTATE",  # noqa: S106 (no secret)
            snapshot_retention_limit=SNAPSHOTS_KEPT_DAYS,
            auto_minor_version_upgrade=True,
            # Otherwise a new password would wait for the maintenance window, and the new task with it.
            apply_immediately=True,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.context.deletion_protection,
                # AWS raises the minor version by itself, and going back is refused.
                ignore_changes=["engineVersion"],
            ),
        )
