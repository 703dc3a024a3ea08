"""The rows of examples.yaml: for every type in the table, inputs, a change in place, and a change that must replace."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.testbed.providers.values import Properties

Ids = Mapping[str, str]
"""Ids of the objects that examples refer to."""


@dataclass(frozen=True)
class Example:
    """One resource."""

    row: Mapping[str, Any]

    def inputs(self, objects: Ids) -> Properties:
        """The inputs, with the ids of ``objects``."""
        return filled(self.row["inputs"], objects)

    def change(self, objects: Ids) -> Properties:
        """What an update in place changes; empty where nothing can be changed in place."""
        return filled(self.row.get("change", {}), objects)

    def replace(self, objects: Ids) -> Properties:
        """What can't be changed in place."""
        return filled(self.row.get("replace", {}), objects)


def filled(value: Any, objects: Ids) -> Any:
    """A value of a YAML file with the ids of ``objects``, and its documents as JSON."""
    if isinstance(value, dict):
        entries = {name: filled(item, objects) for name, item in value.items()}
        return json.dumps(entries["json"]) if entries.keys() == {"json"} else entries
    if isinstance(value, list):
        return [filled(item, objects) for item in value]
    return re.sub(r"\$([a-z]\w*)", lambda name: objects[name[1]], value) if isinstance(value, str) else value


_ROWS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
EXAMPLES: Mapping[str, Example] = {token: Example(row) for token, row in _ROWS.items()}
