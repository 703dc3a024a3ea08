"""CIDR ranges: parsing without exceptions, and containment in a union of ranges."""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

Network = IPv4Network | IPv6Network

# A shorter prefix than any private range (10.0.0.0/8, fc00::/7) is the internet, or a part of a split internet range.
_WIDEST_IPV4 = 8
_WIDEST_IPV6 = 7
_MAPPED = 96


def parse_network(value: Any) -> Network | None:
    """The CIDR range of a property, or None if it isn't one. Host bits are ignored, as in AWS."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    return _parse(value.strip())


@cache
def _parse(value: str) -> Network | None:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return None
    # AWS treats an IPv4 address that is mapped into IPv6 (::ffff:10.0.0.0/104) as the IPv4 address.
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None:
        return network
    return IPv4Network((int(mapped), network.prefixlen - _MAPPED), strict=False)


def union(ranges: Iterable[Network]) -> tuple[Network, ...]:
    """Merge adjacent ranges, so that a range that is split in two still contains the whole range."""
    members = list(ranges)
    v4 = collapse_addresses(network for network in members if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in members if isinstance(network, IPv6Network))
    return (*v4, *v6)


def contained(network: Network, ranges: Iterable[Network]) -> bool:
    """Whether a range is inside one of the merged ranges (see ``union``)."""
    return any(
        (isinstance(network, IPv4Network) and isinstance(allowed, IPv4Network) and network.subnet_of(allowed))
        or (isinstance(network, IPv6Network) and isinstance(allowed, IPv6Network) and network.subnet_of(allowed))
        for allowed in ranges
    )


class RangeSet:
    """Many ranges, such that the test for containment doesn't iterate over them."""

    def __init__(self, ranges: Iterable[Network]) -> None:
        self._members: dict[int, list[Network]] = {4: [], 6: []}
        for network in union(ranges):  # sorted and disjoint, for each version
            self._members[network.version].append(network)
        self._starts = {
            version: [int(each.network_address) for each in members] for version, members in self._members.items()
        }

    def contains(self, network: Network) -> bool:
        """Whether a range is inside one of the ranges."""
        first = int(network.network_address)
        position = bisect_right(self._starts[network.version], first) - 1
        return position >= 0 and contained(network, (self._members[network.version][position],))


def is_large_foreign(network: Network) -> bool:
    """Whether a range is public and larger than what one organization's offices have: /16 or more, in IPv6 /32 or more."""
    return network.is_global and network.prefixlen <= (16 if isinstance(network, IPv4Network) else 32)


def is_world(network: Network) -> bool:
    """Whether a range is the whole internet, or one of a few large ranges that together cover it."""
    return network.prefixlen < (_WIDEST_IPV4 if isinstance(network, IPv4Network) else _WIDEST_IPV6)
