"""Zones: which of the subnets that the settings name the stack uses."""

from collections.abc import Mapping, Sequence

ZONES = 2
"""Zones that the load balancer, the file system and the task are in, at least."""


def one_of_each_zone(subnet_ids: Sequence[str], zones: Mapping[str, str]) -> list[str]:
    """The first subnet of each zone, in the order given; `zones` has the zone of each.

    A load balancer and an interface endpoint take one subnet for each zone, EFS one mount target.
    """
    first = {zones[subnet_id]: subnet_id for subnet_id in reversed(subnet_ids)}
    return [subnet_id for subnet_id in subnet_ids if subnet_id in first.values()]


def too_few_zones(subnet_ids: Sequence[str], zones: Mapping[str, str]) -> str:
    """What is wrong with the zones of these subnets; empty where they are in enough of them."""
    found = sorted({zones[subnet_id] for subnet_id in subnet_ids})
    return "" if len(found) >= ZONES else f"all are in {', '.join(found)}; name subnets of at least {ZONES} zones"
