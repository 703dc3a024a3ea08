"""The schema that a plugin gives the engine: the language host for YAML checks programs with it.

The SDK's classes have all that it needs except the types of nested objects, which are accepted as any value. The stand-in
validates them itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.schema import ResourceSchema, Shape

_SCALARS = ("string", "integer", "number", "boolean")


def package_schema(name: str, version: str, schemas: Mapping[str, ResourceSchema], *, components: bool = False) -> str:
    """The package `name` with the resource types and functions of `schemas`, as JSON (Pulumi's metaschema)."""
    resources = {token: item for token, item in schemas.items() if not _is_function(token)}
    functions = {token: item for token, item in schemas.items() if _is_function(token)}
    return json.dumps(
        {
            "name": name,
            "version": version,
            # The folder and the file of a token (ec2/vpc) are one module: programs write aws:ec2:Vpc.
            "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
            "resources": {
                token: {
                    "isComponent": components,
                    "inputProperties": _properties(item.inputs.properties),
                    "requiredInputs": item.inputs.required,
                    "properties": _properties(item.outputs),
                }
                for token, item in resources.items()
            },
            "functions": {
                token: {
                    "inputs": {"properties": _properties(item.inputs.properties), "required": item.inputs.required},
                    "outputs": {"properties": _properties(item.outputs)},
                }
                for token, item in functions.items()
            },
        }
    )


def _is_function(token: str) -> bool:
    return token.rpartition(":")[2][0].islower()


def _properties(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    return {name: _type(shape) for name, shape in shapes.items()}


def _type(shape: Shape) -> dict[str, Any]:
    if shape.kind in _SCALARS:
        return {"type": shape.kind}
    if shape.kind == "array" and shape.element:
        return {"type": "array", "items": _type(shape.element)}
    if shape.kind == "map" and shape.element:
        return {"type": "object", "additionalProperties": _type(shape.element)}
    return {"$ref": "pulumi.json#/Any"}
