"""Lists all resources in the local AWS and compares them with the engine's state.

The stand-ins define how resources are listed (``listing`` of a type). ``_OTHERS`` has the types of existing resources'
substitutes that no program here creates.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.testbed.local_aws.instance import LocalAws
from sandbox.testbed.providers.aws.listing import Listing

Inventory = dict[str, set[str]]
"""IDs of resources by type, in the engine's notation."""

_OTHERS = {
    "aws:dynamodb/table:Table": ("dynamodb", Listing("list_tables", "TableNames[]")),
    "aws:sqs/queue:Queue": ("sqs", Listing("list_queues", "QueueUrls[]", name=lambda _, item: item.rpartition("/")[2])),
    "aws:wafv2/webAcl:WebAcl": ("wafv2", Listing("list_web_acls", "WebACLs[].ARN", arguments={"Scope": "REGIONAL"})),
}


@cache
def _kinds() -> dict[str, tuple[str, Listing]]:
    """Service and listing by resource type; parents precede their children."""
    from sandbox.testbed.providers.aws import table  # noqa: PLC0415 - loads boto3, which most commands don't need

    known = _OTHERS | {
        type_: (entry.service, entry.listing) for type_, entry in table.RESOURCES.items() if entry.listing
    }

    def depth(type_: str) -> int:
        parent = known[type_][1].parent
        return 1 + depth(parent) if parent else 0

    return {type_: known[type_] for type_ in sorted(known, key=depth)}


@dataclass(frozen=True)
class Comparison:
    """``orphans`` exist but aren't in the state; ``missing`` are in the state but don't exist."""

    orphans: Inventory
    missing: Inventory

    @property
    def equal(self) -> bool:
        """Whether the state matches the local AWS."""
        return not self.orphans and not self.missing

    def without(self, orphans: Mapping[str, set[str]]) -> "Comparison":
        """This comparison without ``orphans``."""
        left = {type_: items - orphans.get(type_, set()) for type_, items in self.orphans.items()}
        return Comparison({type_: items for type_, items in left.items() if items}, self.missing)

    def describe(self) -> str:
        """The differences, one per line."""
        parts = (("exists, but isn't in the engine's state", self.orphans), ("no longer exists", self.missing))
        return "\n".join(
            f"{type_} {item} {what}"
            for what, found in parts
            for type_, items in found.items()
            for item in sorted(items)
        )


def take(aws: LocalAws) -> Inventory:
    """List all resources in ``aws``, except those that AWS creates."""
    found: Inventory = {}
    for type_, (service, listing) in _kinds().items():
        parents: Iterable[str | None] = sorted(found[listing.parent]) if listing.parent else [None]
        listed = {listing.name_of(parent, item) for parent in parents for item in _list(aws, service, listing, parent)}
        found[type_] = _without_deleted_keys(aws, listed) if service == "kms" else listed
    return {type_: items for type_, items in found.items() if items}


def compare(found: Inventory, resources: Iterable[Mapping[str, Any]], substitutes: Iterable[str] = ()) -> Comparison:
    """Compare an inventory with the engine's ``resources``.

    ``substitutes`` are the ids of resources that the sandbox created.
    """
    known: defaultdict[str, set[str]] = defaultdict(set)
    kinds = _kinds()
    for resource in resources:
        _, listing = kinds.get(resource["type"], (None, None))
        # External resources are read by the program, not managed.
        if listing and resource.get("custom") and not resource.get("external"):
            known[resource["type"]].add(listing.known(resource))
    own = set(substitutes)
    orphans = {type_: items - known[type_] - own for type_, items in found.items()}
    missing = {type_: items - found.get(type_, set()) for type_, items in known.items()}
    return Comparison(
        {type_: items for type_, items in orphans.items() if items},
        {type_: items for type_, items in missing.items() if items},
    )


def _list(aws: LocalAws, service: str, listing: Listing, parent: str | None) -> list[Any]:
    import jmespath  # noqa: PLC0415 - a dependency of boto3, which is loaded on first use

    client = aws.client(service)
    arguments = {**listing.arguments, **(listing.of_parent(parent) if parent else {})}
    if client.can_paginate(listing.operation):
        return list(client.get_paginator(listing.operation).paginate(**arguments).search(listing.items))
    return jmespath.search(listing.items, getattr(client, listing.operation)(**arguments)) or []


def _without_deleted_keys(aws: LocalAws, listed: set[str]) -> set[str]:
    """``listed`` without AWS managed keys and keys that are pending deletion. Aliases are kept."""
    kms = aws.client("kms")

    def ours(item: str) -> bool:
        if item.startswith("alias/"):
            return True
        key = kms.describe_key(KeyId=item)["KeyMetadata"]
        return key["KeyManager"] == "CUSTOMER" and key["KeyState"] != "PendingDeletion"

    return {item for item in listed if ours(item)}
