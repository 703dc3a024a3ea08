"""What the tests of terraformIsolation share: an isolated stack, and its parts."""

import json
from typing import Any

from tests.unit.recording import Graph
from tests.unit.stacks import PRODUCTION

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ISOLATED: dict[str, Any] = PRODUCTION | {
    "terraformIsolation": "tasks",
    "moduleRepositories": ["modules", "more.modules"],
}


def containers_of(graph: Graph, workers: str = "") -> dict[str, dict[str, Any]]:
    """The containers of the server's task or, with plan or apply, of that kind's workers."""
    task = graph.one("aws:ecs/taskDefinition:TaskDefinition", f"compute-{workers}-task" if workers else "compute-task")
    definitions = json.loads(task.inputs["containerDefinitions"])
    return {definition["name"]: definition for definition in definitions}


def mounts_of(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {mount["containerPath"]: (mount["sourceVolume"], mount["readOnly"]) for mount in container["mountPoints"]}


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container["environment"]}


def statements(graph: Graph, name: str) -> list[dict[str, Any]]:
    return graph.one(POLICY, name).decoded["policy"]["Statement"]


def attached(graph: Graph, role: str) -> list[str]:
    found = [graph.one(ATTACHMENT, name).inputs for name in graph.names(ATTACHMENT)]
    return sorted(inputs["policyArn"] for inputs in found if inputs["role"] == role)
