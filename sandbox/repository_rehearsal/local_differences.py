"""Differences of a second plan that come from the local AWS, which doesn't return what it was given.

They are labelled, since a rehearsal can't show whether AWS would return it.
"""

from collections.abc import Mapping

from sandbox.repository_rehearsal import terraform_output
from sandbox.testbed.yaml_files import table

_KNOWN: Mapping[str, frozenset[str]] = {type_: frozenset(names) for type_, names in table(__file__).items()}
"""Attributes and blocks that the local AWS doesn't return as they were given, by resource type."""


def labelled(plan: str) -> Mapping[str, list[str]]:
    """The attributes that a second plan changes because of the local AWS, by the resource's address."""
    found = {}
    for address, changed in terraform_output.changes(plan).items():
        if changed and changed <= _KNOWN.get(terraform_output.type_of(address), frozenset()):
            found[address] = sorted(changed)
    return found


def remaining(plan: str) -> list[str]:
    """The addresses of the resources that a plan changes for another reason."""
    explained = labelled(plan)
    return [address for address in terraform_output.planned(plan) if address not in explained]
