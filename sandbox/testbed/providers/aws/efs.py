"""File systems, access points, mount targets and policies."""

from __future__ import annotations

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.session import error_code
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties


class EfsResource(AwsResource):
    service = "efs"
    available = "LifeCycleState == 'available'"


class FileSystem(EfsResource):
    """A file system. Its encryption can be configured only at creation."""

    sdk_name = "aws:efs/fileSystem:FileSystem"

    def create(self, inputs: Properties) -> Created:
        """EFS rejects a repeated creation token with an error that contains the file system's id."""
        try:
            return super().create(inputs)
        except Exception as error:
            if error_code(error) != "FileSystemAlreadyExists" or "creationToken" in inputs:
                raise
            return Created(error.response["FileSystemId"])  # type: ignore[attr-defined]


class BackupPolicy(EfsResource):
    """The backup policy of a file system. A disabled policy counts as deleted, unless the program sets DISABLED."""

    sdk_name = "aws:efs/backupPolicy:BackupPolicy"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        status = self.found(identity, state)["status"].replace("ENABLING", "ENABLED").replace("DISABLING", "DISABLED")
        if status == "DISABLED" != state.get("backupPolicy", {}).get("status"):
            return None
        return {"fileSystemId": identity, "backupPolicy": {"status": status}}
