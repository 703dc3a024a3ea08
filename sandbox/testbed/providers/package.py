"""Abstract base of a provider: the table of entries, and the backend that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers import validation
from sandbox.testbed.providers.resource import Function, Resource
from sandbox.testbed.providers.schema import ResourceSchema
from sandbox.testbed.providers.values import Properties


class Package:
    """A provider: its table, and the backend that its entries use."""

    name: str
    version: str
    resources: ClassVar[Mapping[str, type[Resource[Any]]]] = {}
    functions: ClassVar[Mapping[str, type[Function[Any]]]] = {}

    def schemas(self) -> Mapping[str, ResourceSchema]:
        """The schema of every resource type and function in the table."""
        raise NotImplementedError

    def check_configuration(self, values: Properties) -> list[validation.Failure]:
        """The validation failures of the provider's configuration; by default, a provider has no settings."""
        return [(name, f"the {self.name} provider has no settings") for name in values if name != "version"]

    def configure(self, values: Properties) -> None:
        """Set the provider's configuration."""

    def backend(self, region: str | None) -> Any:
        """The entries' backend, such as a session with AWS, for the given region or the provider's default region."""

    def load(self) -> None:
        """Import slow dependencies in advance. Requires no configuration."""
        self.schemas()

    @property
    def default_tags(self) -> Mapping[str, str]:
        """Tags that are added to every taggable resource."""
        return {}

    def cancel(self) -> None:
        """Cancel all waits."""
