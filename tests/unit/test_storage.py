"""Storage: file system and repository, input by input."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.unit.recording import EXISTING_VPC, arn_of
from tests.unit.stacks import (
    BARE,
    EXECUTION_ROLE_SESSIONS,
    PRODUCTION,
    ROOT,
    TAGS,
    stack,
    tagged,
)

FILE_SYSTEM, ACCESS_POINT = "aws:efs/fileSystem:FileSystem", "aws:efs/accessPoint:AccessPoint"
MOUNT_TARGET, FILE_SYSTEM_POLICY = "aws:efs/mountTarget:MountTarget", "aws:efs/fileSystemPolicy:FileSystemPolicy"
REPOSITORY = "aws:ecr/repository:Repository"

UNDER_AWS_KEY = {
    "encrypted": True,
    "performanceMode": "generalPurpose",
    "throughputMode": "bursting",
    "lifecyclePolicies": [
        {"transitionToIa": "AFTER_30_DAYS"},
        {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ],
    "tags": tagged("atlantis-prod"),
}


def test_the_file_system_is_encrypted_under_a_customer_key_and_protected() -> None:
    file_system = stack().one(FILE_SYSTEM)
    assert file_system.inputs == UNDER_AWS_KEY | {"kmsKeyId": arn_of("storage-efs-key")}
    assert file_system.protect


def test_the_file_system_can_keep_the_aws_managed_key_while_the_customer_s_waits() -> None:
    graph = stack(**BARE)
    assert graph.one(FILE_SYSTEM).inputs == UNDER_AWS_KEY
    assert "storage-efs-key" in graph.names("aws:kms/key:Key")


def test_user_group_and_directory_of_the_access_point_are_settings() -> None:
    inputs = stack(**PRODUCTION).one(ACCESS_POINT).inputs
    assert inputs["posixUser"] == {"uid": 1001, "gid": 1002}
    assert inputs["rootDirectory"] == {
        "path": "/data/atlantis",
        "creationInfo": {"ownerUid": 1001, "ownerGid": 1002, "permissions": "755"},
    }


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


def test_there_are_two_mount_targets() -> None:
    assert len(stack().all(MOUNT_TARGET)) == 2


def refused(sid: str, actions: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": [arn_of("storage-efs")],
    }
    return statement | ({"Condition": condition} if condition else {})


def test_the_file_system_is_mounted_through_the_access_point_over_tls_and_not_as_root_whoever_mounts() -> None:
    mount = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert stack().one(FILE_SYSTEM_POLICY).decoded == {
        "fileSystemId": "storage-efs-id",
        "policy": {
            "Version": "2012-10-17",
            "Id": "atlantis-prod",
            "Statement": [
                refused(
                    "DenyOtherAccessPoints",
                    mount,
                    {"StringNotEquals": {"elasticfilesystem:AccessPointArn": arn_of("storage-access-point")}},
                ),
                refused("DenyOtherNetworks", mount, {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}),
                refused("DenyRoot", ["elasticfilesystem:ClientRootAccess"]),
                refused("DenyInsecureTransport", ["*"], {"Bool": {"aws:SecureTransport": "false"}}),
            ],
        },
    }


EVALUATED_BY_EFS = {
    "aws:SecureTransport",
    "aws:SourceIp",
    "elasticfilesystem:AccessPointArn",
    "elasticfilesystem:AccessedViaMountTarget",
}


def test_the_file_system_s_policy_has_no_condition_key_that_efs_does_not_evaluate() -> None:
    keys = {
        key
        for statement in stack().one(FILE_SYSTEM_POLICY).document()
        for condition in statement.get("Condition", {}).values()
        for key in condition
    }
    assert keys <= EVALUATED_BY_EFS


def test_the_file_system_is_backed_up() -> None:
    assert stack().one("aws:efs/backupPolicy:BackupPolicy").inputs == {
        "fileSystemId": "storage-efs-id",
        "backupPolicy": {"status": "ENABLED"},
    }


def test_the_repository_is_encrypted_scanned_immutable_and_protected() -> None:
    repository = stack().one(REPOSITORY)
    assert repository.inputs == {
        "name": "atlantis",
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": arn_of("storage-ecr-key")}],
        "imageScanningConfiguration": {"scanOnPush": True},
        "imageTagMutability": "IMMUTABLE",
        "forceDelete": False,
        "tags": TAGS,
    }
    assert repository.protect


def test_the_execution_role_may_pull_from_the_repository() -> None:
    assert stack().one("aws:ecr/repositoryPolicy:RepositoryPolicy").decoded == {
        "repository": "atlantis",
        "policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "PullForTasks",
                    "Effect": "Allow",
                    "Principal": {"AWS": ROOT},
                    "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    "Condition": {"ArnLike": {"aws:PrincipalArn": EXECUTION_ROLE_SESSIONS}},
                }
            ],
        },
    }


def test_without_deletion_protection_the_stores_can_be_destroyed_with_what_they_hold() -> None:
    graph = stack(**BARE)
    assert [graph.one(kind).protect for kind in (FILE_SYSTEM, ACCESS_POINT, REPOSITORY)] == [False] * 3
    assert graph.one(REPOSITORY).inputs["forceDelete"] is True
