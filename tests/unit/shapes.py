"""The recorded inputs of the stack's shapes: ``python -m tests.unit.shapes`` writes them, `test_shapes.py` prints the difference.

A recording is easily accepted without reading it. So it has no values that a person must decide: permissions, keys, secrets, and what
the network exposes are in `decided.yaml` or have tests with their values; scripts have tests that run them.
"""

import json
from pathlib import Path
from typing import Any

from tests.tables import table
from tests.unit.decided import is_decided
from tests.unit.recording import Graph
from tests.unit.stacks import BARE, PRODUCTION, REDIS, stack

METRICS: dict[str, Any] = table(__file__, "metrics")
SLEEPER: dict[str, Any] = table(__file__, "sleeper")
FOLDER = Path(__file__).parent / "recorded" / "shapes"
_BASES = {"production": PRODUCTION, "bare": BARE, "redis": REDIS}
SHAPES: dict[str, dict[str, Any]] = {
    name: _BASES.get(shape.get("base"), {}) | {key: value for key, value in shape.items() if key != "base"}
    for name, shape in table(__file__, "shapes").items()
}


def _containers(definitions: list[dict[str, Any]]) -> dict[str, Any]:
    """Containers by name, without their secrets and scripts, and with their short variables as a mapping."""
    return {
        each["name"]: {
            key: [item for item in value if "\n" not in item] if key in ("command", "entryPoint") else value
            for key, value in each.items()
            if key not in ("name", "secrets", "environment")
        }
        | {
            "environment": {
                item["name"]: item["value"] for item in each.get("environment", ()) if len(item["value"]) < 800
            }
        }
        for each in definitions
    }


def described(graph: Graph) -> dict[str, Any]:
    """Inputs and protection of each resource by its name and type, of its tags those that not all have; outputs and warnings."""
    usual = graph.all("aws:ecs/taskDefinition:TaskDefinition")[0].inputs["tags"]
    return {
        f"{each.name} ({each.type})": {
            "inputs": {
                key: dict(value.items() - usual.items())
                if key == "tags"
                else _containers(value)
                if key == "containerDefinitions"
                else value
                for key, value in each.decoded.items()
            },
            **({"protect": True} if each.protect else {}),
            **({"ignoreChanges": list(each.ignore_changes)} if each.ignore_changes else {}),
        }
        for each in graph.resources
        if not is_decided(each.type) and not each.type.startswith("atlantis:")
    } | {"stack": {"outputs": graph.outputs, "warnings": graph.warnings}}


def difference(found: Any, default: Any) -> Any:
    """What isn't as in the default shape; None for what the shape lacks."""
    if not isinstance(found, dict) or not isinstance(default, dict):
        return found
    changed = {key: value for key, value in found.items() if key not in default or default[key] != value}
    return {key: difference(value, default.get(key)) for key, value in changed.items()} | dict.fromkeys(
        default.keys() - found.keys()
    )


def written(shape: str) -> str:
    """The recording of ``shape``: the default one as a whole, the others as their difference to it."""
    found = described(stack(**SHAPES[shape]))
    if shape != "default":
        found = difference(found, described(stack()))
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in SHAPES:
        (FOLDER / f"{name}.json").write_text(written(name), encoding="utf-8")
