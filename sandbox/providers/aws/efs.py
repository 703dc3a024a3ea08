"""File systems, and the ways into them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, only, pairs, rename_tags
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.aws.mapping import to_api
from sandbox.providers.aws.session import error_code
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_TRANSITIONS = ("transitionToIa", "transitionToPrimaryStorageClass", "transitionToArchive")


class _EfsResource(AwsResource):
    service = "efs"

    def retag(self, identity: str, inputs: Properties, current: Mapping[str, str]) -> None:
        """Set the object's tags to those of the inputs."""
        added, removed = rename_tags(current, inputs.get("tags") or {})
        if added:
            self.client.tag_resource(ResourceId=identity, Tags=pairs(added))
        if removed:
            self.client.untag_resource(ResourceId=identity, TagKeys=removed)


class FileSystem(_EfsResource):
    """A file system. Its encryption is decided when it is made."""

    sdk_name = "aws:efs/fileSystem:FileSystem"
    operation = "CreateFileSystem"
    listing: ClassVar = Listing("describe_file_systems", "FileSystems[].FileSystemId")
    handled: ClassVar = frozenset({"lifecyclePolicies", "protection"})
    limits: ClassVar = {
        "lifecyclePolicies": "PutLifecycleConfiguration.LifecyclePolicies",
        "protection": "UpdateFileSystemProtection",
    }
    renamed: ClassVar = {"*.replicationOverwrite": "ReplicationOverwriteProtection"}
    defaults: ClassVar = {"throughputMode": "bursting"}
    in_place: ClassVar = frozenset(
        {"lifecyclePolicies", "protection", "throughputMode", "provisionedThroughputInMibps"}
    )
    computed: ClassVar = frozenset({"creationToken", "encrypted", "kmsKeyId", "performanceMode", "protection"})
    unordered: ClassVar = frozenset({"lifecyclePolicies"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """What EFS refuses in combination."""
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
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        try:
            identity = self.client.create_file_system(**parameters, **tags)["FileSystemId"]
        except Exception as error:
            if error_code(error) != "FileSystemAlreadyExists" or "creationToken" in inputs:
                raise
            found = self.client.describe_file_systems(CreationToken=parameters["CreationToken"])
            identity = found["FileSystems"][0]["FileSystemId"]
        return Created(identity)

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Available first; then what has calls of its own."""
        self.backend.wait(f"state available of {identity}", lambda: self._state(identity) == "available")
        model = self.client.meta.service_model
        if changed & {"throughputMode", "provisionedThroughputInMibps"}:
            current = self._file_system(identity)
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
        if "tags" in changed:
            self.retag(identity, inputs, mapped(self._file_system(identity).get("Tags")))

    def _file_system(self, identity: str) -> Mapping[str, Any]:
        return only(self.client.describe_file_systems(FileSystemId=identity)["FileSystems"])

    def _state(self, identity: str) -> str:
        return self._file_system(identity)["LifeCycleState"]

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With its rules for rarely used files."""
        del state
        system = self._file_system(identity)
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
        return {**found, "tags": mapped(system.get("Tags"))}

    def remove(self, identity: str, state: Properties) -> None:
        """Gone only after its mount targets."""
        self.client.delete_file_system(FileSystemId=identity)
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)


class AccessPoint(_EfsResource):
    """A directory of a file system, entered as one user."""

    sdk_name = "aws:efs/accessPoint:AccessPoint"
    operation = "CreateAccessPoint"
    listing: ClassVar = Listing("describe_access_points", "AccessPoints[].AccessPointId")
    computed: ClassVar = frozenset({"rootDirectory"})

    def create(self, inputs: Properties) -> Created:
        """The client token makes a repeated request the same request."""
        parameters = self.request(inputs)
        parameters["ClientToken"] = hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()[:32]
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        return Created(self.client.create_access_point(**parameters, **tags)["AccessPointId"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Only tags can change."""

        def available() -> bool:
            return self._access_point(identity)["LifeCycleState"] == "available"

        self.backend.wait(f"state available of {identity}", available)
        if "tags" in changed:
            self.retag(identity, inputs, mapped(self._access_point(identity).get("Tags")))

    def _access_point(self, identity: str) -> Mapping[str, Any]:
        return only(self.client.describe_access_points(AccessPointId=identity)["AccessPoints"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As EFS says."""
        del state
        point = self._access_point(identity)
        found = self.properties(point, "ownerId")
        found["arn"] = point["AccessPointArn"]
        found["fileSystemArn"] = self.backend.arn("elasticfilesystem", f"file-system/{point['FileSystemId']}")
        return {**found, "tags": mapped(point.get("Tags"))}

    def remove(self, identity: str, state: Properties) -> None:
        """The files stay."""
        del state
        self.client.delete_access_point(AccessPointId=identity)


class MountTarget(_EfsResource):
    """A file system's address in one subnet."""

    sdk_name = "aws:efs/mountTarget:MountTarget"
    operation = "CreateMountTarget"
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

    def create(self, inputs: Properties) -> Created:
        """One per zone."""
        return Created(self.client.create_mount_target(**self.request(inputs))["MountTargetId"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Tasks that start before it is available fail to mount."""

        def available() -> bool:
            return self._target(identity)["LifeCycleState"] == "available"

        self.backend.wait(f"state available of {identity}", available)
        if "securityGroups" in changed and inputs.get("securityGroups"):
            groups = inputs["securityGroups"]
            self.client.modify_mount_target_security_groups(MountTargetId=identity, SecurityGroups=groups)

    def _target(self, identity: str) -> Mapping[str, Any]:
        return only(self.client.describe_mount_targets(MountTargetId=identity)["MountTargets"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Its names and its groups."""
        del state
        target = self._target(identity)
        names = ("availabilityZoneId", "availabilityZoneName", "networkInterfaceId", "ownerId")
        found = self.properties(target, *names)
        system = target["FileSystemId"]
        found["dnsName"] = f"{system}.efs.{self.backend.region}.amazonaws.com"
        found["mountTargetDnsName"] = f"{target.get('AvailabilityZoneName', '')}.{found['dnsName']}"
        found["fileSystemArn"] = self.backend.arn("elasticfilesystem", f"file-system/{system}")
        groups = self.client.describe_mount_target_security_groups(MountTargetId=identity)
        return {**found, "securityGroups": groups["SecurityGroups"]}

    def remove(self, identity: str, state: Properties) -> None:
        """Its interface keeps the subnet busy until it is gone."""
        self.client.delete_mount_target(MountTargetId=identity)
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)


class FileSystemPolicy(_EfsResource):
    """Who may mount a file system, and how."""

    sdk_name = "aws:efs/fileSystemPolicy:FileSystemPolicy"
    operation = "PutFileSystemPolicy"
    defaults: ClassVar = {"bypassPolicyLockoutSafetyCheck": False}
    write_only: ClassVar = frozenset({"bypassPolicyLockoutSafetyCheck"})
    in_place: ClassVar = frozenset({"policy"}) | write_only
    documents: ClassVar = frozenset({"policy"})

    def create(self, inputs: Properties) -> Created:
        """The id is the file system's."""
        self.client.put_file_system_policy(**self.request(inputs))
        return Created(inputs["fileSystemId"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put it again."""
        del identity
        if "policy" in changed:
            self.client.put_file_system_policy(**self.request(inputs))

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As EFS says."""
        del state
        answer = self.client.describe_file_system_policy(FileSystemId=identity)
        return {"fileSystemId": identity, "policy": answer["Policy"]}

    def remove(self, identity: str, state: Properties) -> None:
        """Back to none."""
        del state
        self.client.delete_file_system_policy(FileSystemId=identity)


class BackupPolicy(_EfsResource):
    """Whether AWS Backup keeps copies of a file system."""

    sdk_name = "aws:efs/backupPolicy:BackupPolicy"
    operation = "PutBackupPolicy"
    in_place: ClassVar = frozenset({"backupPolicy"})

    def create(self, inputs: Properties) -> Created:
        """The id is the file system's."""
        self.client.put_backup_policy(**self.request(inputs))
        return Created(inputs["fileSystemId"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put it again."""
        del identity
        if "backupPolicy" in changed:
            self.client.put_backup_policy(**self.request(inputs))

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """A policy that is off counts as gone."""
        status = self.client.describe_backup_policy(FileSystemId=identity)["BackupPolicy"]["Status"]
        wanted = state.get("backupPolicy", {}).get("status")
        shown = {"ENABLING": "ENABLED", "DISABLING": "DISABLED"}.get(status, status)
        if shown == "DISABLED" and wanted != "DISABLED":
            return None
        return {"fileSystemId": identity, "backupPolicy": {"status": shown}}

    def remove(self, identity: str, state: Properties) -> None:
        """Switched off."""
        del state
        self.client.put_backup_policy(FileSystemId=identity, BackupPolicy={"Status": "DISABLED"})
