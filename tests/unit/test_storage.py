"""The file system, the repository and the locking database with its password."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.unit.recording import EXISTING_VPC, arn_of
from tests.unit.shapes import SHAPES
from tests.unit.stacks import (
    BARE,
    REDIS,
    stack,
)

VAULT, VAULT_POLICY = "aws:backup/vault:Vault", "aws:backup/vaultPolicy:VaultPolicy"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"


def test_in_an_existing_vpc_a_mount_target_keeps_its_name_in_another_order_of_the_subnets() -> None:
    private = EXISTING_VPC["privateSubnetIds"]
    for order in (private, private[::-1]):
        graph = stack(**EXISTING_VPC | {"privateSubnetIds": order})
        assert {target.name: target.inputs["subnetId"] for target in graph.all(MOUNT_TARGET)} == {
            "storage-mount-target-ap-northeast-2a": private[0],
            "storage-mount-target-ap-northeast-2c": private[1],
        }


@pytest.mark.parametrize(
    ("settings", "aliases"),
    [
        (
            EXISTING_VPC,
            {
                "storage-mount-target-ap-northeast-2a": ["storage-mount-target-1"],
                "storage-mount-target-ap-northeast-2c": ["storage-mount-target-2"],
            },
        ),
        ({}, {"storage-mount-target-1": [], "storage-mount-target-2": []}),
    ],
    ids=["named by zone", "named by position"],
)
def test_a_mount_target_that_was_named_by_its_position_keeps_that_name_as_an_alias(
    settings: dict[str, Any], aliases: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, found = aws.efs.MountTarget, {}

    def record(name: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> aws.efs.MountTarget:
        found[name] = [alias.name for alias in opts.aliases or [] if isinstance(alias, pulumi.Alias)]
        return made(name, opts=opts, **inputs)

    monkeypatch.setattr(aws.efs, "MountTarget", record)
    stack(**settings, owner=f"aliases-{len(settings)}")
    assert found == aliases


def test_without_protection_backups_can_be_deleted_with_their_vault() -> None:
    graph = stack(**SHAPES["backup"], deletionProtection=False)
    assert graph.all(VAULT_POLICY) == []
    assert graph.one(VAULT).inputs["forceDestroy"] is True


REPLICATION_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"


def test_secrets_that_exist_leave_the_password_its_own_key() -> None:
    graph = stack(**BARE | REDIS)
    assert [key.name for key in graph.all("aws:kms/key:Key") if "secrets" in key.name] == []
    assert graph.one("aws:secretsmanager/secret:Secret").inputs["kmsKeyId"] == arn_of("locking-key")
    assert (
        arn_of("locking-key")
        in graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()[1]["Resource"]
    )


def test_without_protection_it_can_be_destroyed_at_once() -> None:
    graph = stack(**REDIS, deletionProtection=False)
    assert not graph.one(REPLICATION_GROUP).protect
    assert graph.one("aws:secretsmanager/secret:Secret", "locking-password").inputs["recoveryWindowInDays"] == 0
