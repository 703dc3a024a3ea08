"""How objects of a type are listed, and by which id the engine's state knows one: what an inventory of the account needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Listing", "argument", "in_group", "in_vpc", "output"]


def _resource_id(resource: Mapping[str, Any]) -> str:
    return resource["id"]


@dataclass(frozen=True)
class Listing:
    """`items` selects the ids in the answer of `operation` (JMESPath).

    Where objects are listed by what contains them, `parent` is the type of that and `of_parent` makes the call's arguments of
    the parent's id. `known` is the id by which the engine's state knows one, in the form that `name` gives a listed one. What
    AWS creates by itself (the default VPC, main route tables, default groups and rules, managed keys and policies) is left out.
    """

    operation: str
    items: str
    parent: str | None = None
    of_parent: Callable[[str], dict[str, Any]] = lambda _: {}
    arguments: dict[str, Any] = field(default_factory=dict)
    name: Callable[[str | None, Any], str] = lambda _, item: item
    known: Callable[[Mapping[str, Any]], str] = _resource_id


def argument(name: str) -> Callable[[str], dict[str, Any]]:
    """The parent's id as an argument of that name."""
    return lambda parent: {name: parent}


def in_vpc(vpc: str) -> dict[str, Any]:
    """The filter that EC2 takes for what is in a VPC."""
    return {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}


def in_group(group: str) -> dict[str, Any]:
    """The filter that EC2 takes for the rules of a security group."""
    return {"Filters": [{"Name": "group-id", "Values": [group]}]}


def output(*names: str) -> Callable[[Mapping[str, Any]], str]:
    """A resource's outputs, with blanks between them, as its id."""
    return lambda resource: " ".join(resource["outputs"][name] for name in names)
