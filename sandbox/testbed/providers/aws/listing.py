"""How the inventory lists objects of a type, and maps them to ids in the engine's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any


@dataclass(frozen=True)
class Listing:
    """`items` selects the ids in the response of `operation` (JMESPath).

    If objects are listed per containing object, `parent` is the container's type and `by` receives its id: a parameter,
    or a filter of EC2 (with hyphens). `known` is the id of a resource in the engine's state, in the same form in which
    `name`, a pattern or a function, gives the id of a listed object. Objects that AWS creates (the default VPC, main
    route tables, default groups and rules, managed keys and policies) are left out.
    """

    operation: str
    items: str
    parent: str | None = None
    by: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str | Callable[[str | None, Any], str] = "{item}"
    known: Callable[[Mapping[str, Any]], str] = itemgetter("id")

    def name_of(self, parent: str | None, item: Any) -> str:
        """The id of a listed object."""
        return self.name.format(parent=parent, item=item) if isinstance(self.name, str) else self.name(parent, item)

    def of_parent(self, parent: str) -> dict[str, Any]:
        """The call's arguments to list the objects in `parent`."""
        return {"Filters": [{"Name": self.by, "Values": [parent]}]} if "-" in self.by else {self.by: parent}


def output(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """The id of a resource in the state: the outputs `names`, joined with spaces."""
    return lambda resource: " ".join(resource["outputs"][name] for name in names)
