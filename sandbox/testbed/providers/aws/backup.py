"""Backup vaults, plans and selections."""

from __future__ import annotations

from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call
from sandbox.testbed.providers.values import Properties


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
