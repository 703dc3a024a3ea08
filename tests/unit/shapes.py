"""The recorded inputs of the stack's shapes: ``python -m tests.unit.shapes`` writes them, `test_shapes.py` prints the difference.

A recording is easily accepted without reading it. So it has no values that a person must decide: permissions, keys, secrets, and what
the network exposes have tests with their values.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.recording import ACCOUNT, REGION, Graph
from tests.unit.stacks import BARE, PRODUCTION, REDIS, stack

__all__ = ["FOLDER", "SHAPES", "described", "difference", "written"]

FOLDER = Path(__file__).parent / "recorded" / "shapes"
SHAPES: dict[str, dict[str, Any]] = {
    "default": {},
    "production": PRODUCTION,
    "bare": BARE,
    "redis": REDIS,
    "isolated": {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:vpc"]},
    "log-archive": {"logArchiveDays": 400},
    "alarms": {"alarmTopicArns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"], "clusterName": "platform"},
    "without-load-balancer": {
        "loadBalancerScheme": "none",
        "acmCertificateArn": None,
        "allowedCidrBlocks": ["10.20.0.0/16"],
    },
}
_DECIDED = re.compile(
    r"^(aws:(iam|kms|secretsmanager)/|random:|atlantis:)|Policy:|[Ss]ecurityGroup|Listener|PublicAccessBlock|Acl:"
)
_DECIDED_INPUTS = {"containerDefinitions"}


def described(graph: Graph) -> dict[str, Any]:
    """Inputs and protection of each resource by its name and type; of its tags those that not all resources of a stack have."""
    usual = graph.all("aws:ecs/taskDefinition:TaskDefinition")[0].inputs["tags"]
    return {
        f"{each.name} ({each.type})": {
            "inputs": {
                key: dict(value.items() - usual.items()) if key == "tags" else value
                for key, value in each.inputs.items()
                if key not in _DECIDED_INPUTS
            },
            **({"protect": True} if each.protect else {}),
            **({"ignoreChanges": list(each.ignore_changes)} if each.ignore_changes else {}),
        }
        for each in graph.resources
        if not _DECIDED.search(each.type) or "lifecyclePolicy" in each.type
    }


def difference(found: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """The resources that aren't as in the default shape; None for one that the shape lacks."""
    changed = {name: value for name, value in found.items() if default.get(name) != value}
    return changed | dict.fromkeys(default.keys() - found.keys())


def written(shape: str) -> str:
    """The recording of ``shape``: the default one as a whole, the others as their difference to it."""
    found = described(stack(**SHAPES[shape]))
    if shape != "default":
        found = difference(found, described(stack()))
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in SHAPES:
        (FOLDER / f"{name}.json").write_text(written(name), encoding="utf-8")
