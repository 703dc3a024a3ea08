"""What all components of one stack share."""

import dataclasses

from names import PhysicalNames


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stack:
    """One Atlantis: its names, its tags, and whether it may be lost."""

    names: PhysicalNames
    tags: dict[str, str]
    """On every resource that takes tags."""
    deletion_protection: bool
    """Whether engine and AWS refuse to delete or replace what holds data."""
