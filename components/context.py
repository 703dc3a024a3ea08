"""What all components of one Atlantis share."""

import dataclasses

from .names import PhysicalNames


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """The names, tags and protection of one Atlantis."""

    names: PhysicalNames
    tags: dict[str, str]
    """On every resource that takes tags."""
    deletion_protection: bool
    """Whether Pulumi and AWS refuse to delete or replace what holds data."""
