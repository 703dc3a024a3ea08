"""The rows of resources.yaml: what the class of a resource type declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.testbed.providers.aws.calls import Call, Change, Tagging
from sandbox.testbed.providers.aws.listing import Listing, output
from sandbox.testbed.providers.resource import names
from sandbox.testbed.yaml_files import read_yaml

_SETS = names("computed domain_names extended handled in_place reported refused required secret unordered write_only")


def _tagging(row: Mapping[str, Any] | None) -> Tagging | None:
    read = {"read": Call(*row["read"])} if row and isinstance(row.get("read"), list) else {}
    return Tagging(**{**row, **read}) if row else None


_CONVERTED = {
    "described": lambda row: Call(*row),
    "deleted": lambda row: Call(*row) if row else Call(""),
    "reads": lambda rows: tuple(Call(*row) for row in rows),
    "updates": lambda rows: tuple(Change(**{**row, "properties": names(row["properties"])}) for row in rows),
    "tagging": _tagging,
    "listing": lambda row: Listing(**{**row, **({"known": output(*row["known"])} if "known" in row else {})}),
    **dict.fromkeys(_SETS, names),
}
ROWS: Mapping[str, Mapping[str, Any]] = {
    type_: {name: _CONVERTED[name](value) if name in _CONVERTED else value for name, value in row.items()}
    for type_, row in read_yaml(Path(__file__).with_name("resources.yaml")).items()
}
"""The fields of `AwsResource` by the type's name in the SDK, and `base` of a type without a class."""
