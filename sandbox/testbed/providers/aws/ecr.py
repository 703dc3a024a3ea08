"""Image repositories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, Change, Tagging
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties


class Repository(AwsResource):
    """An image repository. Its encryption can be configured only at creation."""

    sdk_name = "aws:ecr/repository:Repository"
    service = "ecr"
    operation, made = "CreateRepository", "repository.repositoryName"
    described: ClassVar = Call("describe_repositories", "repositoryNames", "repositories[0]")
    subject = "repositoryName"
    tagging: ClassVar = Tagging("resourceArn")
    listing: ClassVar = Listing("describe_repositories", "repositories[].repositoryName")
    renamed: ClassVar = {"name": "repositoryName", "encryptionConfigurations": "encryptionConfiguration"}
    defaults: ClassVar = {"imageTagMutability": "MUTABLE"}
    nested_defaults: ClassVar = {"encryptionConfigurations.*.encryptionType": "AES256"}
    write_only: ClassVar = names("forceDelete")
    updates: ClassVar = (
        Change("put_image_tag_mutability", names("imageTagMutability imageTagMutabilityExclusionFilters")),
        Change(
            "put_image_scanning_configuration",
            names("imageScanningConfiguration"),
            without={"imageScanningConfiguration": {"scanOnPush": False}},
        ),
    )
    outputs = ("registryId",)
    shown: ClassVar = {"arn": "repositoryArn", "repositoryUrl": "repositoryUri"}

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        for item in inputs.get("encryptionConfigurations") or []:
            if item.get("kmsKey") and item["encryptionType"] == "AES256":
                yield "encryptionConfigurations[0].kmsKey", "needs encryptionType KMS"

    def tag_target(self, identity: str) -> str:
        return self.found(identity, {})["repositoryArn"]

    def remove(self, identity: str, state: Properties) -> None:
        """Images are deleted only with `forceDelete`."""
        self.client.delete_repository(repositoryName=identity, force=bool(state.get("forceDelete")))


class _RepositoryDocument(AwsResource):
    """A policy of a repository. The id is the repository's name."""

    service = "ecr"
    outputs = ("registryId",)
    named = "{repository}"


class LifecyclePolicy(_RepositoryDocument):
    """Rules for the expiry of images."""

    sdk_name = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    operation = "PutLifecyclePolicy"
    described: ClassVar = Call("get_lifecycle_policy", "repositoryName")
    deleted: ClassVar = Call("delete_lifecycle_policy", "repositoryName")
    renamed: ClassVar = {"repository": "repositoryName", "policy": "lifecyclePolicyText"}
    delete_first = True


class RepositoryPolicy(_RepositoryDocument):
    """Permissions to pull and push images."""

    sdk_name = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    operation = "SetRepositoryPolicy"
    described: ClassVar = Call("get_repository_policy", "repositoryName")
    deleted: ClassVar = Call("delete_repository_policy", "repositoryName")
    renamed: ClassVar = {"repository": "repositoryName", "policy": "policyText"}
    in_place: ClassVar = names("policy")
