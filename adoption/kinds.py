"""The resource types of both providers, by the rows of `kinds.yaml`, with the ID for Pulumi's import.

The import IDs follow the Import section of each type's documentation in the Pulumi Registry. `force_new` lists the
properties whose change replaces the resource, according to the provider's schema. `keep` lists properties (some of them
in `force_new`) that can keep their old value without affecting the resource's purpose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adoption.state import StateError, StateResource


@dataclass(frozen=True)
class Kind:
    """One type of the AWS provider, as Terraform and Pulumi name it."""

    pulumi: str
    terraform: tuple[str, ...]
    import_id: str = "{id}"
    """Format string with attributes of the state. `{cluster:last}` is the part after the last slash."""
    key: tuple[str, ...] = ()
    """Properties that together identify a resource of the type; empty if only references identify it."""
    force_new: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    """Properties whose blocks the provider compares as a whole, with what only the state sets in them."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Properties that the program doesn't set, and to which the provider then gives a default, by their default as text."""
    unread: frozenset[str] = frozenset()
    """Properties that AWS doesn't return, so an import doesn't know them and the update sets them again."""
    assigned: frozenset[str] = frozenset()
    """Properties for which AWS chooses a value. The state has an empty one if the provider wrote it before it read the property."""
    holds_data: bool = False
    unique: bool = False
    """AWS allows only one, so a replacement would have to delete the old one first."""
    ways_out: Mapping[str, str] = field(default_factory=dict)
    """By property that would replace the resource: the fix, if another one than the program's value in Terraform."""

    def id_of(self, resource: StateResource) -> str:
        """The ID with which Pulumi imports `resource`.

        Raises:
            StateError: the state lacks an attribute of it.
        """
        for name in re.findall(r"\{(\w+)", self.import_id):
            if not resource.get(name):
                raise StateError(
                    f"{resource.address} has no {name}, with which Pulumi imports it: run `terraform apply -refresh-only`, and pull "
                    "the state again"
                )
        return self.import_id.format_map({name: _Part(value) for name, value in resource.attributes.items()})


class _Part(str):
    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return self.rpartition("/")[2] if spec == "last" else str(self)


_TABLES: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
_IN_ORDER = ("terraform", "key")


def _kind(row: Mapping[str, Any]) -> Kind:
    sets = {name: frozenset(value) for name, value in row.items() if isinstance(value, list)}
    return Kind(**{**row, **sets, **{name: tuple(row.get(name, ())) for name in _IN_ORDER}})


KINDS: tuple[Kind, ...] = tuple(map(_kind, _TABLES["kinds"]))
BY_PULUMI_TYPE: Mapping[str, Kind] = {kind.pulumi: kind for kind in KINDS}
NOT_ADOPTED: Mapping[str, str] = _TABLES["not_adopted"]
REASONS: Mapping[str, str] = _TABLES["reasons"]
