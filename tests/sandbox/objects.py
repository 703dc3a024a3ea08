"""Objects in a local AWS, made by the calls of a YAML file: operation of boto3, parameters, and names for parts of the answer.

A value of a parameter is a `$name` of an earlier call, or contains some. A mapping where AWS expects a text is a JSON document.
"""

import json
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any

import jmespath
import yaml


def make(client: Callable[[str], Any], file: Path, names: dict[str, Any]) -> None:
    """Make the calls in order, and add what they name to ``names``."""
    for target, parameters, *named in yaml.safe_load(file.read_text(encoding="utf-8")):
        service, method = target.split(".")
        caller = client(service)
        operation = caller.meta.service_model.operation_model(caller.meta.method_to_api_mapping[method])
        answer = getattr(caller, method)(**filled(parameters, operation.input_shape, names))
        for name, path in (named[0] if named else {}).items():
            found = jmespath.search(path, answer)
            assert found, f"{target} {parameters} has no {path}: {answer}"
            names[name] = found.removeprefix("/hostedzone/")


def filled(value: Any, shape: Any, names: dict[str, Any]) -> Any:
    """``value`` of a parameter with the objects' IDs instead of their ``$names``, and with documents as JSON."""
    kind = shape.type_name if shape else ""
    if isinstance(value, str):
        return names[value[1:]] if value[1:] in names else Template(value).substitute(names) if "$" in value else value
    if kind == "string" and isinstance(value, dict):
        return Template(json.dumps(value)).substitute(names)
    if kind == "structure":
        return {name: filled(item, shape.members[name], names) for name, item in value.items()}
    if kind == "map":
        return {name: filled(item, shape.value, names) for name, item in value.items()}
    return [filled(item, shape.member, names) for item in value] if kind == "list" else value
