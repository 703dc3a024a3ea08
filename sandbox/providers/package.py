"""What a provider is to the service: a table of entries, and what they work with."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.providers import validation
from sandbox.providers.resource import Function, Resource
from sandbox.providers.schema import ResourceSchema
from sandbox.providers.values import Properties


class Package(abc.ABC):
    """A provider: its table, and what its entries work with."""

    name: str
    version: str
    resources: ClassVar[Mapping[str, type[Resource[Any]]]] = {}
    functions: ClassVar[Mapping[str, type[Function[Any]]]] = {}

    @abc.abstractmethod
    def schemas(self) -> Mapping[str, ResourceSchema]:
        """The schema of every resource type and function in the table."""

    @abc.abstractmethod
    def check_configuration(self, values: Properties) -> list[validation.Failure]:
        """What is wrong with the provider's own settings."""

    @abc.abstractmethod
    def configure(self, values: Properties) -> None:
        """Take the provider's settings."""

    @abc.abstractmethod
    def backend(self, region: str | None) -> Any:
        """What entries work with, for the region that a resource names or the provider's own."""

    def load(self) -> None:
        """Do beforehand what takes long and needs no settings."""
        self.schemas()

    @property
    def default_tags(self) -> Mapping[str, str]:
        """Tags that every resource gets."""
        return {}

    @abc.abstractmethod
    def cancel(self) -> None:
        """Give up waiting for anything."""
