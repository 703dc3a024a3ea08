"""The supported arguments of `awsx:ec2:Vpc`, and the subnet layout that awsx computes from them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.testbed.providers.resource import names

VPC: Final = "awsx:ec2:Vpc"
TYPES: Final = ("Public", "Private", "Isolated")
"""Types of subnets, in the order in which awsx creates the subnets of a zone."""


@dataclass(frozen=True)
class Subnet:
    """One planned subnet."""

    name: str
    type: str
    zone: str
    cidr_block: str
    tags: Mapping[str, str]


class ArgumentError(ValueError):
    """An invalid or unsupported argument: its path and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{VPC}: {path}: {reason}")


def _bits(count: int) -> int:
    return (count - 1).bit_length()


def layout(name: str, cidr_block: str, zones: Sequence[str], specs: Sequence[Mapping[str, Any]] | None) -> list[Subnet]:
    """Subnets as awsx' strategy Auto lays them out: each zone gets a part of the CIDR block, split by the specs.

    The specs are applied in their order. Without specs, each zone has a private subnet (half of the block) and a public
    subnet (a quarter), as is awsx' default.
    """
    network = ipaddress.IPv4Network(cidr_block)
    zone_mask = network.prefixlen + _bits(len(zones))
    if specs is None:
        specs = [
            {"type": "Private", "cidrMask": max(zone_mask, 16) + 1},
            {"type": "Public", "cidrMask": max(zone_mask, 16) + 2},
        ]
    default_mask = zone_mask + _bits(len(specs))
    subnets: list[Subnet] = []
    for index, (zone, part) in enumerate(zip(zones, network.subnets(new_prefix=zone_mask), strict=False)):
        free = int(part.network_address)
        for spec in specs:
            given = (spec.get("cidrBlocks") or [None] * len(zones))[index]
            block = ipaddress.IPv4Network(given) if given else _next(free, spec.get("cidrMask", default_mask))
            free = int(block.broadcast_address) + 1
            if not block.subnet_of(network) or (not given and not block.subnet_of(part)):
                raise ArgumentError("subnetSpecs", f"the subnets of {zone} don't fit into {part} of {cidr_block}")
            kind = spec["type"]
            label = spec.get("name") or kind.lower()
            subnets.append(Subnet(f"{name}-{label}-{index + 1}", kind, zone, str(block), spec.get("tags") or {}))
    return subnets


def _next(free: int, mask: int) -> ipaddress.IPv4Network:
    """The first aligned block of the given size at or after an address."""
    size = 2 ** (32 - mask)
    return ipaddress.IPv4Network((-(-free // size) * size, mask))


_KNOWN: Final = names(
    "availabilityZoneNames cidrBlock enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics instanceTenancy "
    "natGateways numberOfAvailabilityZones subnetSpecs subnetStrategy tags"
)
_SPEC: Final = names("type name cidrMask cidrBlocks tags")


def check(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, reason) for arguments that are invalid or that the stand-in doesn't support."""
    for name in sorted(inputs.keys() - _KNOWN):
        yield (
            name,
            "the sandbox's stand-in does not support this argument; it can be added in sandbox/testbed/providers/awsx/",
        )
    if not isinstance(inputs.get("tags") or {}, dict):
        yield "tags", "must be a map that is known; only its values may be outputs"
    specs = inputs.get("subnetSpecs")
    strategy = inputs.get("subnetStrategy") or "Legacy"
    if strategy not in ("Legacy", "Auto"):
        yield "subnetStrategy", f"{strategy!r}: the stand-in carries out Auto only"
    elif specs and strategy == "Legacy":
        yield "subnetStrategy", "the stand-in lays subnetSpecs out by strategy Auto only; say so explicitly"
    for index, spec in enumerate(specs or []):
        if spec.get("type") not in TYPES:
            yield f"subnetSpecs[{index}].type", f"{spec.get('type')!r} is not one of {', '.join(TYPES)}"
        for name in sorted(spec.keys() - _SPEC):
            yield f"subnetSpecs[{index}].{name}", "the stand-in does not support this argument"
    if inputs.get("availabilityZoneNames") and inputs.get("numberOfAvailabilityZones"):
        yield "numberOfAvailabilityZones", "excludes availabilityZoneNames"
    nat = inputs.get("natGateways") or {}
    if nat.get("strategy", "OnePerAz") not in ("None", "Single", "OnePerAz"):
        yield "natGateways.strategy", f"{nat['strategy']!r} is not one of None, Single, OnePerAz"
    if nat.get("elasticIpAllocationIds"):
        yield "natGateways.elasticIpAllocationIds", "the stand-in does not support this argument"
    kinds = {spec.get("type") for spec in specs} if specs else {"Public", "Private"}
    if nat.get("strategy", "OnePerAz") != "None" and "Private" in kinds and "Public" not in kinds:
        yield "natGateways.strategy", "NAT gateways need a public subnet in each zone; use strategy None"
