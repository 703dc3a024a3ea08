"""Secrets, their values and who may read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging, mapped
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created, Function, names
from sandbox.providers.values import Properties


class Secret(AwsResource):
    """A secret without a value."""

    sdk_name = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    operation, made = "CreateSecret", "ARN"
    tagging: ClassVar = Tagging("SecretId", "describe_secret")
    listing: ClassVar = Listing("list_secrets", "SecretList[?!DeletedDate].ARN")
    defaults: ClassVar = {"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30}
    handled: ClassVar = frozenset({"policy"})
    write_only: ClassVar = names("recoveryWindowInDays forceOverwriteReplicaSecret")
    in_place: ClassVar = frozenset({"description", "kmsKeyId", "policy"}) | write_only
    computed: ClassVar = frozenset({"policy", "description"})
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A secret goes at once or within 7 to 30 days."""
        yield from super().rules(inputs)
        days = inputs.get("recoveryWindowInDays")
        if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
            yield "recoveryWindowInDays", f"{days} is not allowed: 0 or 7 to 30"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        named = {"SecretId": identity}
        if changed & {"description", "kmsKeyId"}:
            self.client.update_secret(**named, **self.request(inputs, "UpdateSecret"))
        if "policy" in changed:
            if inputs.get("policy"):
                self.client.put_resource_policy(**named, ResourcePolicy=inputs["policy"])
            else:
                self.client.delete_resource_policy(**named)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """One that waits for its deletion counts as gone."""
        secret = self.client.describe_secret(SecretId=identity)
        if secret.get("DeletedDate"):
            return None
        found = self.properties(secret, "arn", "name")
        found["policy"] = self.client.get_resource_policy(SecretId=identity).get("ResourcePolicy")
        return {**found, "tags": mapped(secret.get("Tags"))}

    def remove(self, identity: str, state: Properties) -> None:
        """At once where the recovery window is 0."""
        days = state.get("recoveryWindowInDays", 30)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        if self.read(identity, state) is not None:
            self.client.delete_secret(SecretId=identity, **how)


class SecretVersion(AwsResource):
    """A value of a secret. Another value is another version."""

    sdk_name = "aws:secretsmanager/secretVersion:SecretVersion"
    service = "secretsmanager"
    operation = "PutSecretValue"
    in_place: ClassVar = frozenset({"versionStages"})
    computed: ClassVar = frozenset({"versionStages"})
    unordered: ClassVar = frozenset({"versionStages"})
    secret: ClassVar = frozenset({"secretString", "secretBinary"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("secretString") and inputs.get("secretBinary"):
            yield "secretBinary", "secretString and secretBinary exclude each other"

    def create(self, inputs: Properties) -> Created:
        answer = self.client.put_secret_value(**self.request(inputs))
        return Created(f"{inputs['secretId']}|{answer['VersionId']}")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With the value, which stays secret."""
        secret, _, version = identity.rpartition("|")
        answer = self.client.get_secret_value(SecretId=secret, VersionId=version)
        found = {"secretId": secret, "arn": answer["ARN"], "versionId": version}
        found["versionStages"] = answer.get("VersionStages", [])
        found["secretString"] = answer.get("SecretString")
        return {**found, "hasSecretStringWo": False}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Move the stages that the program names to this version."""
        secret, _, version = identity.rpartition("|")
        if "versionStages" not in changed or not inputs.get("versionStages"):
            return
        held = self.client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        for stage in inputs["versionStages"]:
            holder = next((other for other, stages in held.items() if stage in stages), None)
            if holder != version:
                moved = {"RemoveFromVersionId": holder} if holder else {}
                self.client.update_secret_version_stage(
                    SecretId=secret, VersionStage=stage, MoveToVersionId=version, **moved
                )

    def remove(self, identity: str, state: Properties) -> None:
        """AWS has no call for it: a version goes when it has lost its stages, and the current one never does."""
        secret, _, version = identity.rpartition("|")
        for stage in state.get("versionStages") or []:
            if stage not in ("AWSCURRENT", "AWSPREVIOUS"):
                self.client.update_secret_version_stage(
                    SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
                )


class SecretPolicy(AwsResource):
    """Who may do what with a secret."""

    sdk_name = "aws:secretsmanager/secretPolicy:SecretPolicy"
    service = "secretsmanager"
    operation, made = "PutResourcePolicy", "ARN"
    deleted: ClassVar = Call("delete_resource_policy", "SecretId")
    renamed: ClassVar = {"policy": "ResourcePolicy", "secretArn": "SecretId"}
    write_only: ClassVar = frozenset({"blockPublicPolicy"})
    in_place: ClassVar = frozenset({"policy", "blockPublicPolicy"})
    documents: ClassVar = frozenset({"policy"})

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Another blockPublicPolicy counts for the next policy only: the policy is put again."""
        if changed & self.in_place:
            self.update(identity, inputs, changed)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """None once the secret has no policy."""
        policy = self.client.get_resource_policy(SecretId=identity).get("ResourcePolicy")
        return {"secretArn": identity, "policy": policy} if policy else None


class GetSecret(Function[Any]):
    """A secret by ARN or name, without its value."""

    sdk_name = "aws:secretsmanager/getSecret:getSecret"

    def call(self, arguments: Properties) -> Properties:
        client = self.backend.client("secretsmanager")
        given = [arguments[name] for name in ("arn", "name") if arguments.get(name)]
        if len(given) != 1:
            raise ValueError("exactly one of arn and name must be given")
        secret: Mapping[str, Any] = client.describe_secret(SecretId=given[0])
        if secret.get("DeletedDate"):
            raise LookupError(f"{given[0]} is scheduled for deletion")
        return {
            "id": secret["ARN"],
            "arn": secret["ARN"],
            "name": secret["Name"],
            "description": secret.get("Description", ""),
            "kmsKeyId": secret.get("KmsKeyId", ""),
            "policy": client.get_resource_policy(SecretId=secret["ARN"]).get("ResourcePolicy", ""),
            "createdDate": secret["CreatedDate"].isoformat() if secret.get("CreatedDate") else "",
            "lastChangedDate": secret["LastChangedDate"].isoformat() if secret.get("LastChangedDate") else "",
            "tags": mapped(secret.get("Tags")),
            "region": self.backend.region,
        }


class GetSecretVersion(Function[Any]):
    """The value of a secret."""

    sdk_name = "aws:secretsmanager/getSecretVersion:getSecretVersion"
    required: ClassVar = frozenset({"secretId"})

    def call(self, arguments: Properties) -> Properties:
        chosen = {"VersionId": arguments.get("versionId"), "VersionStage": arguments.get("versionStage")}
        version = self.backend.client("secretsmanager").get_secret_value(
            SecretId=arguments["secretId"], **{name: value for name, value in chosen.items() if value}
        )
        if "SecretString" not in version:
            raise LookupError(f"{arguments['secretId']} holds binary data, which this stand-in doesn't read")
        return {
            "id": f"{version['ARN']}|{version['VersionId']}",
            "arn": version["ARN"],
            "secretId": arguments["secretId"],
            "secretString": version["SecretString"],
            "secretBinary": "",
            "versionId": version["VersionId"],
            "versionStage": arguments.get("versionStage") or "AWSCURRENT",
            "versionStages": version["VersionStages"],
            "createdDate": version["CreatedDate"].isoformat(),
            "region": self.backend.region,
        }
