"""Secrets, their versions and resource policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import (
    mapped,
)
from sandbox.testbed.providers.values import Properties


class Secret(AwsResource):
    """A secret without a value. A secret that is scheduled for deletion counts as deleted."""

    sdk_name = "aws:secretsmanager/secret:Secret"

    def tags_in(self, identity: str, answer: Mapping[str, Any]) -> dict[str, str]:
        return mapped(answer.get("Tags"))

    def remove(self, identity: str, state: Properties) -> None:
        """Delete immediately if the recovery window is 0."""
        days = state.get("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        self.found(identity, state)
        self.client.delete_secret(SecretId=identity, **how)


class SecretVersion(AwsResource):
    """A version with a secret value. A changed value creates a new version."""

    sdk_name = "aws:secretsmanager/secretVersion:SecretVersion"

    def remove(self, identity: str, state: Properties) -> None:
        """Does nothing: AWS has no call for it.

        Secrets Manager deletes versions without staging labels; the current version always has one.
        """


class SecretPolicy(AwsResource):
    """The resource policy of a secret."""

    sdk_name = "aws:secretsmanager/secretPolicy:SecretPolicy"

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """`blockPublicPolicy` affects only PutResourcePolicy, so a change of it alone also calls the operation."""
        if changed & self.in_place:
            self.update(identity, inputs, changed)
