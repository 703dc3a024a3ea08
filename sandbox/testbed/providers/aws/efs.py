"""File systems, access points, mount targets and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sandbox.testbed.providers.aws.base import AwsResource, arn
from sandbox.testbed.providers.aws.calls import Call, Change, Tagging
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.aws.session import error_code
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties

_TRANSITIONS = ("transitionToIa", "transitionToPrimaryStorageClass", "transitionToArchive")
_SYSTEM = arn("elasticfilesystem", "file-system/")
_ADDRESS = ".efs.{aws.region}.amazonaws.com"


class _EfsResource(AwsResource):
    service = "efs"
    available = "LifeCycleState == 'available'"


class FileSystem(_EfsResource):
    """A file system. Its encryption can be configured only at creation."""

    sdk_name = "aws:efs/fileSystem:FileSystem"
    operation, made, token = "CreateFileSystem", "FileSystemId", "CreationToken"
    described: ClassVar = Call("describe_file_systems", "FileSystemId", "FileSystems[0]")
    reads: ClassVar = (
        Call("describe_lifecycle_configuration", "FileSystemId", "{LifecyclePolicies: LifecyclePolicies}"),
    )
    deleted: ClassVar = Call("delete_file_system", "FileSystemId")
    goes_slowly = True  # deletion completes only after its mount targets are deleted
    tagging: ClassVar = Tagging("ResourceId", read=Call("describe_file_systems", "FileSystemId", "FileSystems[0].Tags"))
    listing: ClassVar = Listing("describe_file_systems", "FileSystems[].FileSystemId")
    limits: ClassVar = {"lifecyclePolicies": "PutLifecycleConfiguration.LifecyclePolicies"}
    defaults: ClassVar = {"throughputMode": "bursting"}
    updates: ClassVar = (
        Change("update_file_system", names("throughputMode provisionedThroughputInMibps"), other=True),
        Change("put_lifecycle_configuration", names("lifecyclePolicies"), new=True, without={"LifecyclePolicies": []}),
    )
    unordered: ClassVar = names("lifecyclePolicies")
    outputs = ("ownerId", "name", "numberOfMountTargets")
    built: ClassVar = {"arn": f"{_SYSTEM}{{id}}", "dnsName": f"{{id}}{_ADDRESS}"}
    shown: ClassVar = {
        "sizeInBytes": "[SizeInBytes.{value: Value, valueInIa: ValueInIA || `0`, valueInStandard: ValueInStandard || `0`}]",
        "protection": "FileSystemProtection && {replicationOverwrite: FileSystemProtection.ReplicationOverwriteProtection}",
    }

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("kmsKeyId") and not inputs.get("encrypted"):
            yield "encrypted", "must be true when kmsKeyId is given"
        if inputs.get("throughputMode") == "provisioned" and not inputs.get("provisionedThroughputInMibps"):
            yield "provisionedThroughputInMibps", "missing: throughputMode provisioned needs it"
        for index, policy in enumerate(inputs.get("lifecyclePolicies") or []):
            if isinstance(policy, dict) and sum(policy.get(name) is not None for name in _TRANSITIONS) != 1:
                yield f"lifecyclePolicies[{index}]", f"must have exactly one of {', '.join(_TRANSITIONS)}"

    def create(self, inputs: Properties) -> Created:
        """EFS rejects a repeated creation token with an error that contains the file system's id."""
        try:
            return super().create(inputs)
        except Exception as error:
            if error_code(error) != "FileSystemAlreadyExists" or "creationToken" in inputs:
                raise
            return Created(error.response["FileSystemId"])  # type: ignore[attr-defined]


class AccessPoint(_EfsResource):
    """An access point: a directory of a file system and the POSIX user for access to it."""

    sdk_name = "aws:efs/accessPoint:AccessPoint"
    operation, made, token = "CreateAccessPoint", "AccessPointId", "ClientToken"
    described: ClassVar = Call("describe_access_points", "AccessPointId", "AccessPoints[0]")
    deleted: ClassVar = Call("delete_access_point", "AccessPointId")
    tagging: ClassVar = Tagging(
        "ResourceId", read=Call("describe_access_points", "AccessPointId", "AccessPoints[0].Tags")
    )
    listing: ClassVar = Listing("describe_access_points", "AccessPoints[].AccessPointId")
    outputs = ("ownerId",)
    shown: ClassVar = {"arn": "AccessPointArn"}
    built: ClassVar = {"fileSystemArn": f"{_SYSTEM}{{fileSystemId}}"}


class MountTarget(_EfsResource):
    """The mount target of a file system in one subnet."""

    sdk_name = "aws:efs/mountTarget:MountTarget"
    operation, made = "CreateMountTarget", "MountTargetId"
    described: ClassVar = Call("describe_mount_targets", "MountTargetId", "MountTargets[0]")
    reads: ClassVar = (
        Call("describe_mount_target_security_groups", "MountTargetId", "{SecurityGroups: SecurityGroups}"),
    )
    deleted: ClassVar = Call("delete_mount_target", "MountTargetId")
    goes_slowly = True  # its network interface keeps the subnet in use until the deletion has completed
    listing: ClassVar = Listing(
        "describe_mount_targets", "MountTargets[].MountTargetId", FileSystem.sdk_name, "FileSystemId"
    )
    updates: ClassVar = (Change("modify_mount_target_security_groups", names("securityGroups")),)
    unordered: ClassVar = names("securityGroups")
    delete_first = True
    outputs = ("availabilityZoneId", "availabilityZoneName", "networkInterfaceId", "ownerId")
    built: ClassVar = {
        "dnsName": f"{{fileSystemId}}{_ADDRESS}",
        "mountTargetDnsName": "{availabilityZoneName}.{dnsName}",
        "fileSystemArn": f"{_SYSTEM}{{fileSystemId}}",
    }


class FileSystemPolicy(_EfsResource):
    """The resource policy of a file system."""

    sdk_name = "aws:efs/fileSystemPolicy:FileSystemPolicy"
    operation, named, available = "PutFileSystemPolicy", "{fileSystemId}", ""
    described: ClassVar = Call("describe_file_system_policy", "FileSystemId")
    deleted: ClassVar = Call("delete_file_system_policy", "FileSystemId")
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False}
    write_only: ClassVar = names("bypassPolicyLockoutSafetyCheck")
    in_place: ClassVar = names("policy")


class BackupPolicy(_EfsResource):
    """The backup policy of a file system. A disabled policy counts as deleted, unless the program sets DISABLED."""

    sdk_name = "aws:efs/backupPolicy:BackupPolicy"
    operation, named, available = "PutBackupPolicy", "{fileSystemId}", ""
    described: ClassVar = Call("describe_backup_policy", "FileSystemId", "BackupPolicy.{status: Status}")
    deleted: ClassVar = Call("put_backup_policy", "FileSystemId", more={"BackupPolicy": {"Status": "DISABLED"}})
    in_place: ClassVar = names("backupPolicy")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        status = self.found(identity, state)["status"].replace("ENABLING", "ENABLED").replace("DISABLING", "DISABLED")
        if status == "DISABLED" != state.get("backupPolicy", {}).get("status"):
            return None
        return {"fileSystemId": identity, "backupPolicy": {"status": status}}
