"""The container definitions of a task in a state, which can be damaged."""

from collections.abc import Mapping
from typing import Any

from adoption.shapes import load
from adoption.state import StateResource
from components.configuration.server_configuration import FLAGS


def containers(task: StateResource) -> list[Mapping[str, Any]]:
    """The container definitions of a task; empty if they aren't a list of objects."""
    try:
        found = load(task.get("container_definitions") or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) and all(isinstance(item, dict) for item in found) else []


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


def server_flags(container: Mapping[str, Any]) -> dict[str, str] | None:
    """The flags with which a container's command starts the server, each with its value; None for any other command."""
    command = container.get("command") or ["server"]
    if not isinstance(command, list) or container.get("entryPoint") not in (
        None,
        [],
        ["docker-entrypoint.sh"],
        ["atlantis"],
    ):
        return None
    words = [str(word) for word in command]
    words = words[1:] if words[0] == "atlantis" else words
    if words[:1] != ["server"]:
        return None
    found: dict[str, str] = {}
    rest = words[1:]
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        flag = name.removeprefix("--")
        if flag == name or not flag:
            return None
        if not equals and FLAGS.get(flag) != "boolean" and rest and not rest[0].startswith("-"):
            value, equals = rest.pop(0), "="
        found[flag] = value if equals else "true"
    return found


def _runs_atlantis(container: Mapping[str, Any]) -> bool:
    lists = [items for key in ("environment", "secrets") if isinstance(items := container.get(key), list)]
    by_variable = any(
        str(item.get("name")).startswith("ATLANTIS_") for items in lists for item in items if isinstance(item, dict)
    )
    return by_variable or "repo-allowlist" in (server_flags(container) or {})
