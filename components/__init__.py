"""Atlantis on ECS Fargate as Pulumi components: `Atlantis` wires the parts together, each of which has a module of its own.

None of them reads configuration or exports anything; that is the program's part.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .atlantis import Atlantis
    from .settings import AtlantisArgs

__all__ = ["Atlantis", "AtlantisArgs"]


def __getattr__(name: str) -> Any:
    # On first use: the SDK takes a second to import, and the preflight reads settings only.
    if name == "Atlantis":
        from .atlantis import Atlantis  # noqa: PLC0415

        return Atlantis
    if name == "AtlantisArgs":
        from .settings import AtlantisArgs  # noqa: PLC0415

        return AtlantisArgs
    raise AttributeError(name)
