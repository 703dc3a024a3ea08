"""The table of all resource types and functions of the stand-in. To add one, add a row to
resources.yaml, and a class to one of the modules here if the row isn't enough."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.rows import ROWS
from sandbox.testbed.providers.resource import Function


def _entries(kind: type[Any]) -> dict[str, type[Any]]:
    """The classes of a kind by their name in the SDK; classes without one are left out."""
    found: dict[str, type[Any]] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name not in ("package", "table"):  # these contain no entries
            members = vars(importlib.import_module(f"{__package__}.{module.name}")).values()
            classes: list[Any] = [item for item in members if isinstance(item, type) and issubclass(item, kind)]
            found |= {entry.sdk_name: entry for entry in classes if hasattr(entry, "sdk_name")}
    return found


def _without_class(kind: type[Any]) -> dict[str, type[Any]]:
    """The types and functions whose row says everything."""
    found: dict[str, type[Any]] = {}
    for type_, row in ROWS.items():
        if "base" in row:
            module, _, name = row["base"].partition(".")
            base = getattr(importlib.import_module(f"{__package__}.{module}"), name)
            if issubclass(base, kind):
                found[type_] = type(type_.rpartition(":")[2], (base,), {"sdk_name": type_})
    return found


RESOURCES: Mapping[str, type[AwsResource]] = _entries(AwsResource) | _without_class(AwsResource)
FUNCTIONS: Mapping[str, type[Function[Any]]] = _entries(Function) | _without_class(Function)
