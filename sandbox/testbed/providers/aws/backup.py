"""Backup vaults, plans and selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, Tagging, input_shape
from sandbox.testbed.providers.aws.mapping import to_api
from sandbox.testbed.providers.values import Properties


class BackupResource(AwsResource):
    service = "backup"

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """BackupVaultTags or BackupPlanTags."""
        kind = self.sdk_name.rpartition(":")[2]
        return {f"Backup{kind}Tags": inputs["tags"]} if inputs.get("tags") else {}


class Vault(BackupResource):
    """A vault. AWS refuses to delete one with recovery points, which `forceDestroy` deletes before."""

    sdk_name = "aws:backup/vault:Vault"

    def remove(self, identity: str, state: Properties) -> None:
        vault = {"BackupVaultName": identity}
        if state.get("forceDestroy"):
            for point in self.client.list_recovery_points_by_backup_vault(**vault)["RecoveryPoints"]:
                self.client.delete_recovery_point(**vault, RecoveryPointArn=point["RecoveryPointArn"])
        super().remove(identity, state)


class _InOneParameter(BackupResource):
    """A type whose properties are members of one parameter, which the description has too."""

    member: ClassVar[str]

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        shape = input_shape(self.client, self.operation).members[self.member]
        return self.request(inputs) | {self.member: to_api(inputs, shape, self.renamed)}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        return super().shown_as(identity, {**answer, **answer[self.member]}, state)


class Plan(_InOneParameter):
    """A plan with its rules."""

    sdk_name = "aws:backup/plan:Plan"
    member = "BackupPlan"
    tagging: ClassVar = Tagging("ResourceArn", read="list_tags", by="BackupPlanArn")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.update_backup_plan(BackupPlanId=identity, **self.parameters(inputs))


class Selection(_InOneParameter):
    """What a plan backs up: resources by their ARNs."""

    sdk_name = "aws:backup/selection:Selection"
    member = "BackupSelection"

    def ask(self, call: Call, identity: str, state: Properties) -> Any:
        """The id is unique in its plan only."""
        return call(self.client, identity, state, BackupPlanId=state["planId"])
