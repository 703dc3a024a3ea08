"""Secrets, their versions and resource policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import (
    Call,
    Change,
    Tagging,
    mapped,
)
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties


class Secret(AwsResource):
    """A secret without a value. A secret that is scheduled for deletion counts as deleted."""

    sdk_name = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    operation, made, subject = "CreateSecret", "ARN", "SecretId"
    described: ClassVar = Call("describe_secret", "SecretId", "!DeletedDate && @")
    reads: ClassVar = (Call("get_resource_policy", "SecretId", "{ResourcePolicy: ResourcePolicy}"),)
    tagging: ClassVar = Tagging("SecretId", "describe_secret")
    listing: ClassVar = Listing("list_secrets", "SecretList[?!DeletedDate].ARN")
    defaults: ClassVar = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30}
    write_only: ClassVar = names("recoveryWindowInDays forceOverwriteReplicaSecret")
    updates: ClassVar = (
        Change("update_secret", names("description kmsKeyId"), without={"Description": ""}),
        Change("put_resource_policy", names("policy"), undone="delete_resource_policy", new=True),
    )
    renamed: ClassVar = {"policy": "ResourcePolicy"}
    outputs = ("arn", "name")
    shown: ClassVar = {"policy": "ResourcePolicy"}

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """`recoveryWindowInDays` must be 0 (delete immediately) or 7 to 30."""
        yield from super().rules(inputs)
        days = inputs.get("recoveryWindowInDays")
        if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
            yield "recoveryWindowInDays", f"{days} is not allowed: 0 or 7 to 30"

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
    service = "secretsmanager"
    operation, made, named = "PutSecretValue", "join('|', [inputs.secretId, VersionId])", "{secretId}|{versionId}"
    described: ClassVar = Call(
        "get_secret_value",
        path="{ARN: ARN, VersionId: VersionId, VersionStages: VersionStages, SecretString: SecretString}",
    )
    refused: ClassVar = names("versionStages")
    secret: ClassVar = names("secretString secretBinary")
    excluding: ClassVar = (("secretString", "secretBinary"),)
    outputs = ("arn", "versionId", "versionStages")
    shown: ClassVar = {"hasSecretStringWo": "`false`"}

    def remove(self, identity: str, state: Properties) -> None:
        """Does nothing: AWS has no call for it.

        Secrets Manager deletes versions without staging labels; the current version always has one.
        """


class SecretPolicy(AwsResource):
    """The resource policy of a secret."""

    sdk_name = "aws:secretsmanager/secretPolicy:SecretPolicy"
    service = "secretsmanager"
    operation, made = "PutResourcePolicy", "ARN"
    described: ClassVar = Call("get_resource_policy", "SecretId", "ResourcePolicy && {ResourcePolicy: ResourcePolicy}")
    deleted: ClassVar = Call("delete_resource_policy", "SecretId")
    renamed: ClassVar = {"policy": "ResourcePolicy", "secretArn": "SecretId"}
    write_only: ClassVar = names("blockPublicPolicy")
    in_place: ClassVar = names("policy")
    built: ClassVar = {"secretArn": "{id}"}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """`blockPublicPolicy` affects only PutResourcePolicy, so a change of it alone also calls the operation."""
        if changed & self.in_place:
            self.update(identity, inputs, changed)
