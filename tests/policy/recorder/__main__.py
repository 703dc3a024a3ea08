"""A policy pack that judges nothing and writes down what the engine hands it: the file is named by RECORDING.

Secrets reach a policy in clear text, so what may be one is replaced before it is written. Unknown values stay as the
engine marks them.
"""

import json
import os
from pathlib import Path
from typing import Any, Final

from pulumi_policy import (
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties

SECRET_PROPERTIES: Final = ("secretString", "result", "bcryptHash", "secretKey", "accessKey")
REDACTED: Final = "[secret]"

_inputs: dict[str, Any] = {}


def _written(properties: Any) -> Any:
    content: Any = serialize_properties(properties)
    return {name: REDACTED if name in SECRET_PROPERTIES else value for name, value in content.items()}


def _resource(args: ResourceValidationArgs, _report: ReportViolation) -> None:
    _inputs[args.urn] = _written(args.props)


def _stack(args: StackValidationArgs, _report: ReportViolation) -> None:
    resources = [
        {
            "type": resource.resource_type,
            "name": resource.name,
            "urn": resource.urn,
            "protect": bool(resource.opts.protect),
            "inputs": _inputs.get(resource.urn, {}),
            "outputs": _written(resource.props),
            "dependencies": {
                name: [each.urn for each in targets] for name, targets in resource.property_dependencies.items()
            },
        }
        for resource in sorted(args.resources, key=lambda each: each.urn)
        if not resource.resource_type.startswith("pulumi:providers:")
    ]
    lines = ",\n".join(json.dumps(resource, sort_keys=True) for resource in resources)
    Path(os.environ["RECORDING"]).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


PolicyPack(
    name="recorder",
    policies=[
        ResourceValidationPolicy("inputs", "What each resource is asked to be.", _resource),
        StackValidationPolicy("outputs", "What the stack becomes.", _stack),
    ],
)
