"""Container definitions of ECS task definitions, which are a JSON document in one property."""

from collections.abc import Iterator
from typing import Any

from evaluation.resources import Resource
from evaluation.rule import Findings
from evaluation.values import mappings

CONTAINERS = "containerDefinitions"
TASK = "ecs/taskDefinition"


def containers(resource: Resource, findings: Findings, check: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The containers of a task definition with their paths; notes the check as not evaluated if they are unknown."""
    content = findings.document(resource, check, CONTAINERS)
    return ((f"{CONTAINERS}[{index}]", container) for index, container in mappings(content))


def variables(container: dict[str, Any]) -> Iterator[tuple[int, str, Any]]:
    """Index, name and value of a container's plaintext environment variables."""
    for index, variable in mappings(container.get("environment")):
        if isinstance(variable.get("name"), str):
            yield index, variable["name"], variable.get("value")
