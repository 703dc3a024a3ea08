"""The container definitions of a task in a state, which can be damaged."""

import json
from collections.abc import Mapping
from typing import Any

from adoption.shapes import MAXIMUM_DEPTH, depth
from adoption.state import StateResource

__all__ = ["atlantis_container", "containers", "damage"]


def containers(task: StateResource) -> list[Mapping[str, Any]]:
    """The container definitions of a task; empty if they aren't a list of objects."""
    try:
        found = json.loads(task.attributes.get("container_definitions") or "[]")
    except (TypeError, ValueError, RecursionError):
        return []
    is_well_formed = isinstance(found, list) and all(isinstance(item, dict) for item in found)
    return found if is_well_formed and depth(found) <= MAXIMUM_DEPTH else []


def atlantis_container(task: StateResource) -> Mapping[str, Any] | None:
    """The definition that runs Atlantis; None if none does."""
    return next((container for container in containers(task) if _runs_atlantis(container)), None)


def damage(container: Mapping[str, Any]) -> str:
    """What is wrong with the parts of a container definition that are read; empty if nothing is."""
    for name, keys in (("environment", ("name", "value")), ("secrets", ("name", "valueFrom")), ("mountPoints", ())):
        items = container.get(name) or []
        well_formed = isinstance(items, list) and all(
            isinstance(item, dict) and all(isinstance(item.get(key), str) for key in keys) for item in items
        )
        if not well_formed:
            return f"{name} of its container definition isn't a list of {' and '.join(keys) or 'blocks'}"
    for name, kind in (("name", str), ("image", str), ("logConfiguration", dict), ("stopTimeout", int)):
        if container.get(name) is not None and not isinstance(container[name], kind):
            return f"{name} of its container definition is {container[name]!r:.60}"
    options = (container.get("logConfiguration") or {}).get("options") or {}
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        return "the options of its log configuration aren't strings"
    return ""


def _runs_atlantis(container: Mapping[str, Any]) -> bool:
    lists = [items for key in ("environment", "secrets") if isinstance(items := container.get(key), list)]
    return any(
        str(item.get("name")).startswith("ATLANTIS_") for items in lists for item in items if isinstance(item, dict)
    )
