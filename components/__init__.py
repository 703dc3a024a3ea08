"""Atlantis on ECS Fargate as Pulumi components: `Atlantis` connects the others, each in its own module.

Components don't read configuration and don't export outputs. The program does both.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .atlantis import Atlantis
    from .settings import AtlantisArgs

__all__ = ["Atlantis", "AtlantisArgs"]


def __getattr__(name: str) -> Any:
    # Imported on first use: importing the SDK takes a second, and the preflight needs only the settings.
    if name == "Atlantis":
        from .atlantis import Atlantis  # noqa: PLC0415

        return Atlantis
    if name == "AtlantisArgs":
        from .settings import AtlantisArgs  # noqa: PLC0415

        return AtlantisArgs
    raise AttributeError(name)
