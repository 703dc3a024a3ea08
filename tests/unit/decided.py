"""What `decided.yaml` has of a stack: the resources that recordings leave out, because a person decides their values."""

import json
import re
from typing import Any

from tests.tables import table
from tests.unit.recording import ACCOUNT, REGION, Graph, arn_of

DECIDED: dict[str, dict[str, dict[str, Any]]] = {
    shape: table(__file__, shape)
    for shape in (
        *("default", "own-boundary", "redis", "bare", "backup", "log-archive", "existing-cluster", "extended"),
        *("production", "workers", "existing-load-balancer", "without-load-balancer"),
    )
}
DIFFERS_FROM = {"workers": "production", "existing-load-balancer": "log-archive", "without-load-balancer": "redis"}
"""What `decided.yaml` has of a shape is its difference to this one, or else to the default shape."""
_TYPES = re.compile(
    r"^(aws:(iam|kms|secretsmanager)/|random:)|(bucket|fileSystem|repository|vault)Policy:|(In|E)gressRule|Listener|PublicAccessBlock"
)


def is_decided(resource_type: str) -> bool:
    """Whether a person decides the values of resources of this type."""
    return _TYPES.search(resource_type) is not None


def decided(graph: Graph) -> dict[str, dict[str, Any]]:
    """The inputs by type and name, without the tags that all resources have, and the secrets of the tasks' containers."""
    usual = graph.all("aws:ecs/taskDefinition:TaskDefinition")[0].inputs["tags"]
    found: dict[str, dict[str, Any]] = {}
    for each in filter(lambda each: is_decided(each.type), graph.resources):
        options = {"protect": each.protect, "deleteBeforeReplace": each.delete_before_replace}
        settings = {
            "tags": dict(each.inputs.get("tags", {}).items() - usual.items()),
            "options": [name for name, chosen in options.items() if chosen],
            "secret": sorted(each.secret_inputs),
        }
        found.setdefault(each.type, {})[each.name] = {
            key: _by_sid(value) for key, value in each.decoded.items() if key != "tags"
        } | {key: value for key, value in settings.items() if value}
    for each in graph.all("aws:ecs/taskDefinition:TaskDefinition"):
        found.setdefault("secrets of containers", {})[each.name] = {
            container["name"]: {secret["name"]: secret["valueFrom"] for secret in container["secrets"]}
            for container in each.decoded["containerDefinitions"]
            if "secrets" in container
        }
    for each in graph.all("aws:ec2/vpcEndpoint:VpcEndpoint"):
        found.setdefault("policies of endpoints", {})[each.name] = _by_sid(each.decoded["policy"])
    text = json.dumps(found).replace(arn_of(""), "arn of ").replace(REGION, "REGION").replace(ACCOUNT, "ACCOUNT")
    return json.loads(text, parse_float=lambda number: int(float(number)))


def _by_sid(value: Any) -> Any:
    """A document's statements by their Sid, or the list of statements that have none. Other inputs as they are."""
    if not isinstance(value, dict) or "Statement" not in value:
        return value
    if not all("Sid" in statement for statement in value["Statement"]):
        return value["Statement"]
    statements = {
        statement["Sid"]: {key: item for key, item in statement.items() if key != "Sid"}
        for statement in value["Statement"]
    }
    return {key: item for key, item in value.items() if key not in ("Version", "Statement")} | statements
