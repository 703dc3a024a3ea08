"""Zones: selects the subnets that the stack uses from those in the settings."""

from collections.abc import Mapping, Sequence

ZONES = 2
"""The minimum number of zones for the load balancer, the file system and the task."""


def one_of_each_zone(subnet_ids: Sequence[str], zones: Mapping[str, str]) -> list[str]:
    """The first subnet of each zone, in the given order. `zones` maps each subnet to its zone.

    A load balancer and an interface endpoint accept one subnet per zone, and EFS one mount target.
    """
    first = {zones[subnet_id]: subnet_id for subnet_id in reversed(subnet_ids)}
    return [subnet_id for subnet_id in subnet_ids if subnet_id in first.values()]


def too_few_zones(subnet_ids: Sequence[str], zones: Mapping[str, str]) -> str:
    """The problem with the zones of these subnets; empty if they are in enough zones."""
    found = sorted({zones[subnet_id] for subnet_id in subnet_ids})
    return "" if len(found) >= ZONES else f"all are in {', '.join(found)}; name subnets of at least {ZONES} zones"
