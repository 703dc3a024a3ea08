"""The values that all components of one Atlantis share."""

import dataclasses

import pulumi

from .names import PhysicalNames
from .settings.arguments import Settings


def physical_names(
    settings: Settings, *, account: str, partition: str, dns_suffix: str = "amazonaws.com"
) -> PhysicalNames:
    """The names of the Atlantis that `settings` describe."""
    return PhysicalNames(
        environment=settings.environment,
        account=account,
        region=settings.region,
        partition=partition,
        dns_suffix=dns_suffix,
        base_name=settings.base_name,
        cluster_name=settings.existing.cluster_name,
        log_group_name=settings.operations.log_group_name,
        repository_name=settings.storage.repository_name,
        regional_iam_names=settings.regional_iam_names,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """The settings of one Atlantis, and the names that follow from them."""

    names: PhysicalNames
    settings: Settings

    @property
    def tags(self) -> dict[str, pulumi.Input[str]]:
        """Set on every resource that supports tags."""
        return self.settings.tags

    @property
    def deletion_protection(self) -> bool:
        """Whether Pulumi and AWS refuse to delete or replace resources that hold data."""
        return self.settings.operations.deletion_protection
