"""Storage: file system and repository, input by input."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.unit.recording import EXISTING_VPC, arn_of
from tests.unit.stacks import (
    EXECUTION_ROLE_SESSIONS,
    ROOT,
    stack,
)

MOUNT_TARGET, FILE_SYSTEM_POLICY = "aws:efs/mountTarget:MountTarget", "aws:efs/fileSystemPolicy:FileSystemPolicy"


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
