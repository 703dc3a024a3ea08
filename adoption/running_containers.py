"""The containers next to the server's in the running task, as settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.containers import containers, damage
from adoption.proposal import Proposal
from components.configuration.secret_names import looks_secret
from components.settings.extra_containers import NOBODY, STACKS_OWN, extra_containers
from components.settings.values import UnacceptableError

_COPIED = ("name", "image", "command", "entryPoint", "user", "cpu", "memory")
_LOST = (
    *("dependsOn", "dockerLabels", "environmentFiles", "firelensConfiguration", "healthCheck", "mountPoints"),
    *("portMappings", "systemControls", "ulimits", "volumesFrom", "workingDirectory"),
)
"""Properties of a container that extraContainers doesn't have, and that a container may need."""


def others(anatomy: Anatomy) -> list[Mapping[str, Any]]:
    """The definitions of the containers next to the server's."""
    server = anatomy.container
    return [each for each in containers(anatomy.task) if each is not server and each.get("name") != server.get("name")]


def proposed_containers(anatomy: Anatomy) -> Iterator[Proposal]:
    """The setting with the containers that it can describe."""
    found = [
        each for container in others(anatomy) if isinstance(each := extra_container(container, anatomy.region), dict)
    ]
    if found:
        yield Proposal("extraContainers", found, "containers of the running task next to the server's")


def extra_container(container: Mapping[str, Any], region: str) -> dict[str, Any] | str:
    """The object of extraContainers for a container in `region`, or why there is none. The reason has no value of a variable."""
    if damaged := damage(container):
        return f"name it in extraContainers: {damaged}"
    variables = {str(item.get("name")): str(item.get("value")) for item in container.get("environment") or []}
    references = {str(item.get("name")): str(item.get("valueFrom")) for item in container.get("secrets") or []}
    if unusable := _unusable(container, variables, references, region):
        return unusable
    made = {key: container[key] for key in _COPIED if container.get(key)}
    if not made.get("memory") and container.get("memoryReservation"):
        made["memory"] = container["memoryReservation"]
    made |= {key: value for key, value in (("environment", variables), ("secrets", references)) if value}
    try:
        extra_containers([made])
    except UnacceptableError as refused:
        return f"name it in extraContainers: {refused}"
    return made


def _unusable(
    container: Mapping[str, Any], variables: Mapping[str, str], references: Mapping[str, str], region: str
) -> str:
    """Why extraContainers can't have the container as it is; empty if it can."""
    if "@sha256:" not in str(container.get("image")):
        return "name it in extraContainers, with the digest of its image, so that a push doesn't change what runs next to the server"
    if secret := [name for name, value in variables.items() if looks_secret(name, value)]:
        return f"store {', '.join(secret)} in Secrets Manager, and name the container with the ARN in extraContainers"
    if far := [name for name, arn in references.items() if arn.startswith("arn:") and f":{region}:" not in arn]:
        return f"store {', '.join(far)} in {region}, and name the container with the ARN of that in extraContainers"
    is_taken = container.get("name") in STACKS_OWN
    return "a container of the program has this name: name it in extraContainers under another one" if is_taken else ""


def lost_with(container: Mapping[str, Any]) -> str:
    """What changes for a container that becomes one of extraContainers."""
    changes = ["its root file system is read-only, it has no capability, and it can end without ending the task"]
    if not container.get("user"):
        changes.append(f"it runs as {NOBODY}, not as its image's user: set user if it needs another one")
    if missing := [key for key in _LOST if container.get(key)]:
        changes.append(f"it has no {', '.join(missing)}")
    return "; ".join(changes)
