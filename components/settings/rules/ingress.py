"""Rules for the access to the server: ranges, certificate and load balancer."""

import ipaddress
from collections.abc import Iterable, Iterator

from ..arguments import Settings
from ..problem import Problem, Rule

MAXIMUM_IPV4 = 2**30
MAXIMUM_IPV6 = 2**112
"""Ranges that together have this many addresses count as public: a quarter of IPv4, a /16 of IPv6."""

RULES_PER_SECURITY_GROUP = 60
"""AWS' default quota, counted for IPv4 and IPv6 separately."""


def _public_allowed_ranges(settings: Settings) -> Iterator[Problem]:
    yield from _public(settings, "allowedCidrBlocks", settings.ingress.allowed_cidr_blocks)


def _public_webhook_ranges(settings: Settings) -> Iterator[Problem]:
    yield from _public(settings, settings.webhook_ranges_key, settings.webhook_cidr_blocks)


def _public(settings: Settings, key: str, blocks: Iterable[str]) -> Iterator[Problem]:
    if settings.ingress.allow_public_access:
        return
    for version, most in ((4, MAXIMUM_IPV4), (6, MAXIMUM_IPV6)):
        ranges = [block for block in blocks if ipaddress.ip_network(block).version == version]
        if _addresses(ranges) >= most:
            yield Problem(
                {key: ranges},
                "opens the server to the internet; list the ranges of the office and the VPN, or set allowPublicAccess to true if "
                "that is intended",
            )


def _addresses(blocks: Iterable[str]) -> int:
    networks = [ipaddress.ip_network(block) for block in blocks]
    return sum(block.num_addresses for block in ipaddress.collapse_addresses(networks))  # pyright: ignore[reportArgumentType]


def _security_group_quota(settings: Settings) -> Iterator[Problem]:
    allowed, hooks = settings.ingress.allowed_cidr_blocks, settings.webhook_cidr_blocks
    existing = settings.existing
    if existing.https_listener_arn is not None and not existing.extend_security_group:
        return
    for version in (4, 6):
        # Without a load balancer that it creates, the stack has no rules for a redirect from port 80.
        of_each = 2 if settings.existing.https_listener_arn is None and settings.ingress.has_load_balancer else 1
        needed = of_each * _count(allowed, version) + _count(hooks, version)
        if needed > RULES_PER_SECURITY_GROUP:
            yield Problem(
                dict.fromkeys(("allowedCidrBlocks", settings.webhook_ranges_key)),
                f"require {needed} IPv{version} rules in the load balancer's security group, whose quota is {RULES_PER_SECURITY_GROUP}; "
                "merge adjacent ranges",
            )


def _count(blocks: Iterable[str], version: int) -> int:
    return sum(ipaddress.ip_network(block).version == version for block in blocks)


def _dualstack(settings: Settings) -> Iterator[Problem]:
    if settings.ingress.ip_address_type == "dualstack" and settings.network.vpc_id is None:
        yield Problem(
            {"ipAddressType": "dualstack"},
            "requires an existing VPC with IPv6 subnets (vpcId), because a new VPC has only IPv4",
        )


def _only_ipv6(settings: Settings) -> Iterator[Problem]:
    """At least one range of each setting can reach the load balancer."""
    for key, blocks in (
        ("allowedCidrBlocks", settings.ingress.allowed_cidr_blocks),
        (settings.webhook_ranges_key, settings.webhook_cidr_blocks),
    ):
        if blocks and not settings.ingress.reachable_from(blocks):
            yield Problem(
                {key: list(blocks)},
                "has only IPv6 ranges, which can't reach a load balancer with ipAddressType ipv4; add an IPv4 range, or set "
                "ipAddressType to dualstack",
            )


def _certificate(settings: Settings) -> Iterator[Problem]:
    if settings.existing.https_listener_arn is not None or not settings.ingress.has_load_balancer:
        return
    if settings.ingress.acm_certificate_arn is None and settings.ingress.hosted_zone_id is None:
        yield Problem(
            {"acmCertificateArn": None},
            "missing; must be the ARN of a certificate for the host of url, or set hostedZoneId to issue one that is validated through "
            "DNS",
        )


def _internal_load_balancer(settings: Settings) -> Iterator[Problem]:
    ingress = settings.ingress
    if ingress.load_balancer_scheme == "internet-facing":
        return
    for key, blocks in {
        "allowedCidrBlocks": ingress.allowed_cidr_blocks,
        settings.webhook_ranges_key: settings.webhook_cidr_blocks,
    }.items():
        if public := [block for block in blocks if not ipaddress.ip_network(block).is_private]:
            yield Problem(
                {"loadBalancerScheme": ingress.load_balancer_scheme, key: public},
                "only private ranges can reach an internal load balancer; list those of the repositories' host and of the users"
                if ingress.has_load_balancer
                else "only private ranges can reach a task in private subnets",
            )


RULES: tuple[Rule, ...] = (
    _public_allowed_ranges,
    _public_webhook_ranges,
    _security_group_quota,
    _dualstack,
    _only_ipv6,
    _certificate,
    _internal_load_balancer,
)
