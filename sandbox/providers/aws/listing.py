"""How objects of a type are listed, and by which id the engine's state knows one: what an inventory of the account needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Listing", "output"]


def _resource_id(resource: Mapping[str, Any]) -> str:
    return resource["id"]


@dataclass(frozen=True)
class Listing:
    """`items` selects the ids in the answer of `operation` (JMESPath).

    Where objects are listed by what contains them, `parent` is the type of that and `by` takes the parent's id: a parameter,
    or one of EC2's filters (with hyphens). `known` is the id by which the engine's state knows one, in the form that `name`
    gives a listed one. What AWS creates by itself (the default VPC, main route tables, default groups and rules, managed keys
    and policies) is left out.
    """

    operation: str
    items: str
    parent: str | None = None
    by: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    name: Callable[[str | None, Any], str] = lambda _, item: item
    known: Callable[[Mapping[str, Any]], str] = _resource_id

    def of_parent(self, parent: str) -> dict[str, Any]:
        """The call's arguments for what `parent` contains."""
        return {"Filters": [{"Name": self.by, "Values": [parent]}]} if "-" in self.by else {self.by: parent}


def output(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """A resource's outputs, with blanks between them, as its id."""
    return lambda resource: " ".join(resource["outputs"][name] for name in names)
