"""The supported arguments of `awsx:ec2:Vpc`, and the subnet layout that awsx computes from them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.testbed.providers.resource import names

VPC: Final = "awsx:ec2:Vpc"
TYPES: Final = ("Public", "Private")
"""Types of subnets, in the order in which awsx creates the subnets of a zone."""


@dataclass(frozen=True)
class Subnet:
    """One planned subnet."""

    name: str
    type: str
    zone: str
    cidr_block: str


def layout(name: str, cidr_block: str, zones: Sequence[str], types: Sequence[str]) -> list[Subnet]:
    """Subnets as awsx lays them out: each zone gets a part of the CIDR block, which the ``types`` share in their order.

    Without types, each zone has a private subnet (half of the block) and a public subnet (a quarter), as is awsx' default.
    """
    network = ipaddress.IPv4Network(cidr_block)
    zone_mask = network.prefixlen + (len(zones) - 1).bit_length()
    equal = zone_mask + (len(types) - 1).bit_length()
    shares = [(kind, equal) for kind in types] or [("Private", zone_mask + 1), ("Public", zone_mask + 2)]
    subnets: list[Subnet] = []
    for index, (zone, part) in enumerate(zip(zones, network.subnets(new_prefix=zone_mask), strict=False), 1):
        free = int(part.network_address)
        for kind, mask in shares:
            block = ipaddress.IPv4Network((free, mask))
            free = int(block.broadcast_address) + 1
            subnets.append(Subnet(f"{name}-{kind.lower()}-{index}", kind, zone, str(block)))
    return subnets


_KNOWN: Final = names(
    "cidrBlock enableDnsHostnames enableDnsSupport natGateways numberOfAvailabilityZones subnetSpecs subnetStrategy tags"
)


def check(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, reason) for arguments that the stand-in doesn't support."""
    unknown = [name for name in inputs if name not in _KNOWN]
    unknown += [f"subnetSpecs[].{name}" for spec in inputs.get("subnetSpecs") or () for name in spec if name != "type"]
    for path in sorted(set(unknown)):
        yield path, "the stand-in does not support this argument; it can be added in sandbox/testbed/providers/awsx/"
    for path in ("cidrBlock", "numberOfAvailabilityZones"):
        if not inputs.get(path):
            yield path, "the stand-in requires it"
    if not isinstance(inputs.get("tags") or {}, dict):
        yield "tags", "must be a map that is known; only its values may be outputs"
    given = [spec.get("type") for spec in inputs.get("subnetSpecs") or ()]
    if given and (sorted(map(str, given)) != sorted(TYPES) or inputs.get("subnetStrategy") != "Auto"):
        yield "subnetSpecs", f"the stand-in supports one subnet of each of {', '.join(TYPES)}, with subnetStrategy Auto"
    if inputs.get("natGateways") != {"strategy": "Single"}:
        yield "natGateways", "the stand-in supports the strategy Single only"
