"""Image repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_MUTABILITY = names("imageTagMutability imageTagMutabilityExclusionFilters")


class Repository(AwsResource):
    """An image repository. Its encryption is decided when it is made."""

    sdk_name = "aws:ecr/repository:Repository"
    service = "ecr"
    operation, made = "CreateRepository", "repository.repositoryName"
    described: ClassVar = Call("describe_repositories", "repositoryNames", "repositories[0]")
    tagging: ClassVar = Tagging("resourceArn")
    listing: ClassVar = Listing("describe_repositories", "repositories[].repositoryName")
    renamed: ClassVar = {
        "name": "repositoryName",
        "encryptionConfigurations": "encryptionConfiguration",
    }
    defaults: ClassVar = {"imageTagMutability": "MUTABLE"}
    handled: ClassVar = frozenset({"encryptionConfigurations"})
    write_only: ClassVar = frozenset({"forceDelete"})
    in_place: ClassVar = _MUTABILITY | {"imageScanningConfiguration", "forceDelete"}

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        given = inputs.get("encryptionConfigurations") or []
        if len(given) > 1:
            yield "encryptionConfigurations", "at most one may be given"
        for index, item in enumerate(given):
            kind = item.get("encryptionType", "AES256")
            if kind not in ("AES256", "KMS", "KMS_DSSE"):
                yield (
                    f"encryptionConfigurations[{index}].encryptionType",
                    f"{kind!r} is not one of AES256, KMS, KMS_DSSE",
                )
            elif item.get("kmsKey") and kind == "AES256":
                yield f"encryptionConfigurations[{index}].kmsKey", "needs encryptionType KMS"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        parameters = self.request({n: v for n, v in inputs.items() if n != "encryptionConfigurations"})
        for item in inputs.get("encryptionConfigurations") or []:
            kind = {"encryptionType": item.get("encryptionType", "AES256")}
            parameters["encryptionConfiguration"] = kind | ({"kmsKey": item["kmsKey"]} if item.get("kmsKey") else {})
        return parameters

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        named = {"repositoryName": identity}
        if changed & _MUTABILITY:
            parameters = self.request(inputs, "PutImageTagMutability", only=_MUTABILITY)
            self.client.put_image_tag_mutability(**named, **parameters)
        if "imageScanningConfiguration" in changed:
            scanning = inputs.get("imageScanningConfiguration") or {"scanOnPush": False}
            self.client.put_image_scanning_configuration(**named, imageScanningConfiguration=scanning)

    def tag_target(self, identity: str) -> str:
        return self.found(identity)["repositoryArn"]

    def describe(self, identity: str, state: Properties) -> Properties | None:
        repository = self.found(identity)
        found = self.properties(repository, "registryId")
        found["arn"] = repository["repositoryArn"]
        found["repositoryUrl"] = repository["repositoryUri"]
        encryption = repository.get("encryptionConfiguration")
        found["encryptionConfigurations"] = [dict(encryption)] if encryption else None
        return {**found, "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """With its images only where the program says so."""
        self.client.delete_repository(repositoryName=identity, force=bool(state.get("forceDelete")))


class _RepositoryDocument(AwsResource):
    """A document that belongs to a repository; the id is the repository's name."""

    service = "ecr"
    renamed: ClassVar = {"repository": "repositoryName"}
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})
    named = "{repository}"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        answer = self.found(identity)
        policy = answer[self.renamed["policy"]]
        return {"repository": identity, "policy": policy, "registryId": answer["registryId"]}


class LifecyclePolicy(_RepositoryDocument):
    """Which images are dropped."""

    sdk_name = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    operation = "PutLifecyclePolicy"
    described: ClassVar = Call("get_lifecycle_policy", "repositoryName")
    deleted: ClassVar = Call("delete_lifecycle_policy", "repositoryName")
    renamed: ClassVar = {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    in_place: ClassVar = frozenset()
    delete_first = True


class RepositoryPolicy(_RepositoryDocument):
    """Who may pull and push."""

    sdk_name = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    operation = "SetRepositoryPolicy"
    described: ClassVar = Call("get_repository_policy", "repositoryName")
    deleted: ClassVar = Call("delete_repository_policy", "repositoryName")
    renamed: ClassVar = {"repository": "repositoryName", "policy": "policyText"}
