"""File systems, and the ways into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.aws.mapping import to_api
from sandbox.providers.aws.session import error_code
from sandbox.providers.resource import Created, names
from sandbox.providers.values import Properties

_TRANSITIONS = ("transitionToIa", "transitionToPrimaryStorageClass", "transitionToArchive")


class _EfsResource(AwsResource):
    service = "efs"
    available = ("LifeCycleState", "available")


class FileSystem(_EfsResource):
    """A file system. Its encryption is decided when it is made."""

    sdk_name = "aws:efs/fileSystem:FileSystem"
    operation = "CreateFileSystem"
    described: ClassVar = Call("describe_file_systems", "FileSystemId", "FileSystems[0]")
    deleted: ClassVar = Call("delete_file_system", "FileSystemId")
    goes_slowly = True  # gone only after its mount targets
    tagging: ClassVar = Tagging("ResourceId", read=Call("describe_file_systems", "FileSystemId", "FileSystems[0].Tags"))
    listing: ClassVar = Listing("describe_file_systems", "FileSystems[].FileSystemId")
    handled: ClassVar = frozenset({"lifecyclePolicies", "protection"})
    limits: ClassVar = {
        "lifecyclePolicies": "PutLifecycleConfiguration.LifecyclePolicies",
        "protection": "UpdateFileSystemProtection",
    }
    renamed: ClassVar = {"*.replicationOverwrite": "ReplicationOverwriteProtection"}
    defaults: ClassVar = {"throughputMode": "bursting"}
    in_place: ClassVar = names("lifecyclePolicies protection throughputMode provisionedThroughputInMibps")
    computed: ClassVar = frozenset({"creationToken", "encrypted", "kmsKeyId", "performanceMode", "protection"})
    unordered: ClassVar = frozenset({"lifecyclePolicies"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("kmsKeyId") and not inputs.get("encrypted"):
            yield "encrypted", "must be true when kmsKeyId is given"
        if inputs.get("throughputMode") == "provisioned" and not inputs.get("provisionedThroughputInMibps"):
            yield "provisionedThroughputInMibps", "missing: throughputMode provisioned needs it"
        for index, policy in enumerate(inputs.get("lifecyclePolicies") or []):
            if isinstance(policy, dict) and sum(policy.get(name) is not None for name in _TRANSITIONS) != 1:
                yield f"lifecyclePolicies[{index}]", f"must have exactly one of {', '.join(_TRANSITIONS)}"

    def create(self, inputs: Properties) -> Created:
        """EFS answers a repeated creation token with the file system that has it."""
        parameters = self.request(inputs)
        # One token per object: a replacement's differs because what it is made with does.
        parameters.setdefault("CreationToken", hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()[:32])
        try:
            identity = self.client.create_file_system(**parameters, **self.tag_parameter(inputs))["FileSystemId"]
        except Exception as error:
            if error_code(error) != "FileSystemAlreadyExists" or "creationToken" in inputs:
                raise
            found = self.client.describe_file_systems(CreationToken=parameters["CreationToken"])
            identity = found["FileSystems"][0]["FileSystemId"]
        return Created(identity)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        model = self.client.meta.service_model
        if changed & {"throughputMode", "provisionedThroughputInMibps"}:
            current = self.found(identity)
            parameters = self.request(inputs, "UpdateFileSystem")
            if any(current.get(name) != value for name, value in parameters.items()):
                self.client.update_file_system(FileSystemId=identity, **parameters)
        if "lifecyclePolicies" in changed:
            api = model.operation_model("PutLifecycleConfiguration").input_shape.members["LifecyclePolicies"]
            policies = to_api(inputs.get("lifecyclePolicies") or [], api, self.renamed)
            self.client.put_lifecycle_configuration(FileSystemId=identity, LifecyclePolicies=policies)
        if inputs.get("protection") and "protection" in changed:
            api = model.operation_model("UpdateFileSystemProtection").input_shape
            parameters = to_api(inputs["protection"], api, self.renamed, "*.")
            self.client.update_file_system_protection(FileSystemId=identity, **parameters)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        system = self.found(identity)
        found = self.properties(system, "ownerId", "name", "numberOfMountTargets")
        found["arn"] = self.backend.arn("elasticfilesystem", f"file-system/{identity}")
        found["dnsName"] = f"{identity}.efs.{self.backend.region}.amazonaws.com"
        found["sizeInBytes"] = [
            {
                "value": system["SizeInBytes"]["Value"],
                "valueInIa": system["SizeInBytes"].get("ValueInIA", 0),
                "valueInStandard": system["SizeInBytes"].get("ValueInStandard", 0),
            }
        ]
        policies = self.client.describe_lifecycle_configuration(FileSystemId=identity)["LifecyclePolicies"]
        found |= self.properties({"LifecyclePolicies": policies})
        protection = system.get("FileSystemProtection", {}).get("ReplicationOverwriteProtection")
        found["protection"] = {"replicationOverwrite": protection} if protection else None
        return {**found, "tags": self.tags_of(identity)}


class AccessPoint(_EfsResource):
    """A directory of a file system, entered as one user."""

    sdk_name = "aws:efs/accessPoint:AccessPoint"
    operation, made = "CreateAccessPoint", "AccessPointId"
    described: ClassVar = Call("describe_access_points", "AccessPointId", "AccessPoints[0]")
    deleted: ClassVar = Call("delete_access_point", "AccessPointId")
    tagging: ClassVar = Tagging(
        "ResourceId", read=Call("describe_access_points", "AccessPointId", "AccessPoints[0].Tags")
    )
    listing: ClassVar = Listing("describe_access_points", "AccessPoints[].AccessPointId")
    computed: ClassVar = frozenset({"rootDirectory"})

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The client token makes a repeated request the same request."""
        parameters = self.request(inputs)
        return {**parameters, "ClientToken": hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()[:32]}

    def describe(self, identity: str, state: Properties) -> Properties | None:
        point = self.found(identity)
        found = self.properties(point, "ownerId")
        found["arn"] = point["AccessPointArn"]
        found["fileSystemArn"] = self.backend.arn("elasticfilesystem", f"file-system/{point['FileSystemId']}")
        return {**found, "tags": self.tags_of(identity)}


class MountTarget(_EfsResource):
    """A file system's address in one subnet."""

    sdk_name = "aws:efs/mountTarget:MountTarget"
    operation, made = "CreateMountTarget", "MountTargetId"
    described: ClassVar = Call("describe_mount_targets", "MountTargetId", "MountTargets[0]")
    deleted: ClassVar = Call("delete_mount_target", "MountTargetId")
    goes_slowly = True  # its interface keeps the subnet busy until it is gone
    listing: ClassVar = Listing(
        "describe_mount_targets",
        "MountTargets[].MountTargetId",
        "aws:efs/fileSystem:FileSystem",
        argument("FileSystemId"),
    )
    in_place: ClassVar = frozenset({"securityGroups"})
    computed: ClassVar = frozenset({"ipAddress", "ipAddressType", "securityGroups"})
    unordered: ClassVar = frozenset({"securityGroups"})
    delete_first = True

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if inputs.get("securityGroups"):
            groups = inputs["securityGroups"]
            self.client.modify_mount_target_security_groups(MountTargetId=identity, SecurityGroups=groups)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        target = self.found(identity)
        outputs = ("availabilityZoneId", "availabilityZoneName", "networkInterfaceId", "ownerId")
        found = self.properties(target, *outputs)
        system = target["FileSystemId"]
        found["dnsName"] = f"{system}.efs.{self.backend.region}.amazonaws.com"
        found["mountTargetDnsName"] = f"{target.get('AvailabilityZoneName', '')}.{found['dnsName']}"
        found["fileSystemArn"] = self.backend.arn("elasticfilesystem", f"file-system/{system}")
        groups = self.client.describe_mount_target_security_groups(MountTargetId=identity)
        return {**found, "securityGroups": groups["SecurityGroups"]}


class FileSystemPolicy(_EfsResource):
    """Who may mount a file system, and how."""

    sdk_name = "aws:efs/fileSystemPolicy:FileSystemPolicy"
    operation, named, available = "PutFileSystemPolicy", "{fileSystemId}", None
    described: ClassVar = Call("describe_file_system_policy", "FileSystemId")
    deleted: ClassVar = Call("delete_file_system_policy", "FileSystemId")
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False}
    write_only: ClassVar = frozenset({"bypassPolicyLockoutSafetyCheck"})
    in_place: ClassVar = frozenset({"policy"}) | write_only
    documents: ClassVar = frozenset({"policy"})

    def describe(self, identity: str, state: Properties) -> Properties | None:
        return {"fileSystemId": identity, "policy": self.found(identity)["Policy"]}


class BackupPolicy(_EfsResource):
    """Whether AWS Backup keeps copies of a file system."""

    sdk_name = "aws:efs/backupPolicy:BackupPolicy"
    operation, named, available = "PutBackupPolicy", "{fileSystemId}", None
    in_place: ClassVar = frozenset({"backupPolicy"})

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """A policy that is off counts as gone."""
        status = self.client.describe_backup_policy(FileSystemId=identity)["BackupPolicy"]["Status"]
        wanted = state.get("backupPolicy", {}).get("status")
        shown = {"ENABLING": "ENABLED", "DISABLING": "DISABLED"}.get(status, status)
        if shown == "DISABLED" and wanted != "DISABLED":
            return None
        return {"fileSystemId": identity, "backupPolicy": {"status": shown}}

    def remove(self, identity: str, state: Properties) -> None:
        self.client.put_backup_policy(FileSystemId=identity, BackupPolicy={"Status": "DISABLED"})
