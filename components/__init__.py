"""Atlantis on ECS Fargate as Pulumi components: `Atlantis` connects the others, each in its own module.

Components don't read configuration and don't export outputs. The program does both.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .atlantis import Atlantis
    from .settings import AtlantisArgs
    from .settings.drift import DriftArgs
    from .settings.existing import ExistingArgs
    from .settings.extra_containers import ExtraContainerArgs
    from .settings.groups import (
        ConfigurationArgs,
        IngressArgs,
        NetworkArgs,
        OperationsArgs,
        ServerArgs,
        StorageArgs,
        TaskArgs,
    )
    from .settings.outbound import OutboundArgs
    from .settings.sign_in import SignInArgs
    from .settings.terraform import TerraformArgs
    from .settings.vcs import VcsArgs

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
        "DriftArgs": ".settings.drift",
        "ExistingArgs": ".settings.existing",
        "ExtraContainerArgs": ".settings.extra_containers",
        "OutboundArgs": ".settings.outbound",
        "SignInArgs": ".settings.sign_in",
        "TerraformArgs": ".settings.terraform",
        "VcsArgs": ".settings.vcs",
    }.get(name, ".settings.groups")
    return getattr(importlib.import_module(module, __name__), name)
