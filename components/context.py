"""The values that all components of one Atlantis share."""

import dataclasses

import pulumi

from .names import PhysicalNames


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """The names, tags and protection of one Atlantis."""

    names: PhysicalNames
    tags: dict[str, pulumi.Input[str]]
    """Set on every resource that supports tags."""
    deletion_protection: bool
    """Whether Pulumi and AWS refuse to delete or replace resources that hold data."""
