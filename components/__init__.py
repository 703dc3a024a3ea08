"""Atlantis on ECS Fargate as Pulumi components: `Atlantis` connects the others, each in its own module.

Components don't read configuration and don't export outputs. The program does both.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .atlantis import Atlantis
    from .settings import AtlantisArgs
    from .settings.extra_containers import ExtraContainerArgs
    from .settings.groups import (
        ConfigurationArgs,
        DriftArgs,
        ExistingArgs,
        IngressArgs,
        NetworkArgs,
        OperationsArgs,
        ServerArgs,
        SignInArgs,
        StorageArgs,
        TaskArgs,
        TerraformArgs,
        VcsArgs,
    )
    from .settings.outbound import OutboundArgs

__all__ = [
    "Atlantis",
    "AtlantisArgs",
    "ConfigurationArgs",
    "DriftArgs",
    "ExistingArgs",
    "ExtraContainerArgs",
    "IngressArgs",
    "NetworkArgs",
    "OperationsArgs",
    "OutboundArgs",
    "ServerArgs",
    "SignInArgs",
    "StorageArgs",
    "TaskArgs",
    "TerraformArgs",
    "VcsArgs",
]


def __getattr__(name: str) -> Any:
    # Imported on first use: importing the SDK takes a second, and the preflight needs only the settings.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = {
        "Atlantis": ".atlantis",
        "AtlantisArgs": ".settings",
        "ExtraContainerArgs": ".settings.extra_containers",
        "OutboundArgs": ".settings.outbound",
    }.get(name, ".settings.groups")
    return getattr(importlib.import_module(module, __name__), name)
