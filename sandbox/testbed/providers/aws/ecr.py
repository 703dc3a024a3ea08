"""Image repositories."""

from __future__ import annotations

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.values import Properties


class Repository(AwsResource):
    """An image repository. Its encryption can be configured only at creation."""

    sdk_name = "aws:ecr/repository:Repository"

    def remove(self, identity: str, state: Properties) -> None:
        """Images are deleted only with `forceDelete`."""
        self.client.delete_repository(repositoryName=identity, force=bool(state.get("forceDelete")))


class RepositoryDocument(AwsResource):
    """A policy of a repository. The id is the repository's name."""

    service = "ecr"
    outputs = ("registryId",)
    named = "{repository}"
