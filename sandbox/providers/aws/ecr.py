"""Image repositories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, only, pairs, rename_tags
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_MUTABILITY = frozenset({"imageTagMutability", "imageTagMutabilityExclusionFilters"})


class Repository(AwsResource):
    """An image repository. Its encryption is decided when it is made."""

    sdk_name = "aws:ecr/repository:Repository"
    service = "ecr"
    operation = "CreateRepository"
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
        """Only one kind of encryption, and a key only where KMS does it."""
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

    def create(self, inputs: Properties) -> Created:
        """The id is the name."""
        parameters = self.request({n: v for n, v in inputs.items() if n != "encryptionConfigurations"})
        for item in inputs.get("encryptionConfigurations") or []:
            kind = {"encryptionType": item.get("encryptionType", "AES256")}
            parameters["encryptionConfiguration"] = kind | ({"kmsKey": item["kmsKey"]} if item.get("kmsKey") else {})
        tags = {"tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        return Created(self.client.create_repository(**parameters, **tags)["repository"]["repositoryName"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Each has a call of its own."""
        named = {"repositoryName": identity}
        if changed & _MUTABILITY:
            parameters = self.request(inputs, "PutImageTagMutability", only=_MUTABILITY)
            self.client.put_image_tag_mutability(**named, **parameters)
        if "imageScanningConfiguration" in changed:
            scanning = inputs.get("imageScanningConfiguration") or {"scanOnPush": False}
            self.client.put_image_scanning_configuration(**named, imageScanningConfiguration=scanning)
        if "tags" in changed:
            arn = self._repository(identity)["repositoryArn"]
            added, removed = rename_tags(self._tags(arn), inputs.get("tags") or {})
            if added:
                self.client.tag_resource(resourceArn=arn, tags=pairs(added))
            if removed:
                self.client.untag_resource(resourceArn=arn, tagKeys=removed)

    def _repository(self, identity: str) -> Mapping[str, Any]:
        return only(self.client.describe_repositories(repositoryNames=[identity])["repositories"])

    def _tags(self, arn: str) -> dict[str, str]:
        return mapped(self.client.list_tags_for_resource(resourceArn=arn)["tags"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As ECR says."""
        del state
        repository = self._repository(identity)
        found = self.properties(repository, "registryId")
        found["arn"] = repository["repositoryArn"]
        found["repositoryUrl"] = repository["repositoryUri"]
        encryption = repository.get("encryptionConfiguration")
        found["encryptionConfigurations"] = [dict(encryption)] if encryption else None
        return {**found, "tags": self._tags(repository["repositoryArn"])}

    def remove(self, identity: str, state: Properties) -> None:
        """With its images only where the program says so."""
        self.client.delete_repository(repositoryName=identity, force=bool(state.get("forceDelete")))


class _RepositoryDocument(AwsResource):
    """A document that belongs to a repository; the id is the repository's name."""

    service = "ecr"
    renamed: ClassVar = {"repository": "repositoryName"}
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})
    parameter: ClassVar[str]
    calls: ClassVar[tuple[str, str, str]]
    """Put, get, delete."""

    def create(self, inputs: Properties) -> Created:
        """Put it."""
        put = getattr(self.client, self.calls[0])
        put(repositoryName=inputs["repository"], **{self.parameter: inputs["policy"]})
        return Created(inputs["repository"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put it again."""
        del identity
        if "policy" in changed:
            self.create(inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As ECR says."""
        del state
        answer = getattr(self.client, self.calls[1])(repositoryName=identity)
        return {"repository": identity, "policy": answer[self.parameter], "registryId": answer["registryId"]}

    def remove(self, identity: str, state: Properties) -> None:
        """The repository stays."""
        del state
        getattr(self.client, self.calls[2])(repositoryName=identity)


class LifecyclePolicy(_RepositoryDocument):
    """Which images are dropped."""

    sdk_name = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    operation = "PutLifecyclePolicy"
    renamed: ClassVar = {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    in_place: ClassVar = frozenset()
    delete_first = True
    parameter = "lifecyclePolicyText"
    calls = ("put_lifecycle_policy", "get_lifecycle_policy", "delete_lifecycle_policy")


class RepositoryPolicy(_RepositoryDocument):
    """Who may pull and push."""

    sdk_name = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    operation = "SetRepositoryPolicy"
    renamed: ClassVar = {"repository": "repositoryName", "policy": "policyText"}
    parameter = "policyText"
    calls = ("set_repository_policy", "get_repository_policy", "delete_repository_policy")
