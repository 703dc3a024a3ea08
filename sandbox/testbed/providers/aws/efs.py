"""File systems, their backup policies, and the vaults and plans of AWS Backup."""

from __future__ import annotations

from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call
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


class Vault(AwsResource):
    """A vault. AWS refuses to delete one with recovery points, which `forceDestroy` deletes before."""

    sdk_name = "aws:backup/vault:Vault"

    def remove(self, identity: str, state: Properties) -> None:
        vault = {"BackupVaultName": identity}
        if state.get("forceDestroy"):
            for point in self.client.list_recovery_points_by_backup_vault(**vault)["RecoveryPoints"]:
                self.client.delete_recovery_point(**vault, RecoveryPointArn=point["RecoveryPointArn"])
        super().remove(identity, state)


class Plan(AwsResource):
    """A plan with its rules."""

    sdk_name = "aws:backup/plan:Plan"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.update_backup_plan(BackupPlanId=identity, **self.parameters(inputs))


class Selection(AwsResource):
    """Resources that a plan backs up."""

    sdk_name = "aws:backup/selection:Selection"

    def ask(self, call: Call, identity: str, state: Properties) -> Any:
        """The id is unique in its plan only."""
        return call(self.client, identity, state, BackupPlanId=state["planId"])
