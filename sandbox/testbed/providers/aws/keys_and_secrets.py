"""Keys, their aliases, and secrets."""

from __future__ import annotations

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.values import Properties


class Key(AwsResource):
    """A customer managed key. A key that is pending deletion counts as deleted."""

    sdk_name = "aws:kms/key:Key"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Key state and rotation have separate calls to enable and to disable them."""
        if "isEnabled" in changed:
            (self.client.enable_key if inputs.get("isEnabled", True) else self.client.disable_key)(KeyId=identity)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            if inputs.get("enableKeyRotation"):
                self.client.enable_key_rotation(KeyId=identity, **self.request(inputs, "EnableKeyRotation"))
            else:
                self.client.disable_key_rotation(KeyId=identity)
        super().update(identity, inputs, changed)

    def remove(self, identity: str, state: Properties) -> None:
        """Schedule the deletion; KMS doesn't delete keys immediately."""
        self.found(identity, state)
        days = state.get("deletionWindowInDays") or 30
        self.client.schedule_key_deletion(KeyId=identity, PendingWindowInDays=days)


class Alias(AwsResource):
    """An alias of a key. KMS has no operation to describe a single alias."""

    sdk_name = "aws:kms/alias:Alias"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """`targetKeyId` is an ARN if the program set an ARN."""
        found = super().describe(identity, state) or {}
        by_arn = state.get("targetKeyId") == found["targetKeyArn"]
        return {**found, "targetKeyId": found["targetKeyArn"]} if by_arn else found


class Secret(AwsResource):
    """A secret without a value. A secret that is scheduled for deletion counts as deleted."""

    sdk_name = "aws:secretsmanager/secret:Secret"

    def remove(self, identity: str, state: Properties) -> None:
        """Delete immediately if the recovery window is 0."""
        days = state.get("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        self.found(identity, state)
        self.client.delete_secret(SecretId=identity, **how)
