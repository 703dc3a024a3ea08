"""Secrets."""

from __future__ import annotations

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.values import Properties


class Secret(AwsResource):
    """A secret without a value. A secret that is scheduled for deletion counts as deleted."""

    sdk_name = "aws:secretsmanager/secret:Secret"

    def remove(self, identity: str, state: Properties) -> None:
        """Delete immediately if the recovery window is 0."""
        days = state.get("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        self.found(identity, state)
        self.client.delete_secret(SecretId=identity, **how)
