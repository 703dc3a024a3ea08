"""Ingress rules of security groups, in each of the provider's four resource types."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from evaluation.resources import Resource
from evaluation.values import UNKNOWN, integer, mappings, sequence

GROUP: Final = "ec2/securityGroup"
DEFAULT_GROUP: Final = "ec2/defaultSecurityGroup"
OLD_RULE: Final = "ec2/securityGroupRule"
RULE: Final = "vpc/securityGroupIngressRule"
GROUP_TYPES: Final = (GROUP, DEFAULT_GROUP)
RULE_TYPES: Final = (*GROUP_TYPES, OLD_RULE, RULE)

# Protocols that include TCP: all protocols, and TCP by name and by number.
_TCP: Final = frozenset({"-1", "all", "tcp", "6", "-1.0", "6.0"})

SourceKind = Literal["cidr", "prefix-list", "group", "self", "unknown"]


@dataclass(frozen=True)
class Source:
    """One source that an ingress rule allows: ``value`` is a CIDR block, the ID of a prefix list or group, or ``UNKNOWN``.

    path: its path in the resource that contains the rule; ``property``: the top-level property.
    """

    kind: SourceKind
    path: str
    value: Any

    @property
    def property(self) -> str:
        """The top-level property of the path."""
        return self.path.partition("[")[0]


@dataclass(frozen=True)
class Ingress:
    """One ingress rule. ``carrier`` is the resource that contains it; ports are None if it applies to all of them."""

    carrier: Resource
    protocol: Any
    from_port: int | None
    to_port: int | None
    sources: tuple[Source, ...]

    @property
    def reach(self) -> tuple[Any, ...]:
        """What its sources reach: protocol and ports, which are part of a finding."""
        return self.protocol, self.from_port, self.to_port

    @property
    def path_mtu(self) -> bool:
        """Whether the rule admits only the messages of path MTU discovery, which reach no service.

        ICMP type 3 code 4 (fragmentation needed), and ICMPv6 type 2 code 0 (packet too big).
        """
        if not isinstance(self.protocol, str | int | float):
            return False
        protocol = str(self.protocol).lower().removesuffix(".0")
        wanted = {"icmp": (3, 4), "1": (3, 4), "icmpv6": (2, 0), "58": (2, 0)}.get(protocol)
        return wanted is not None and (self.from_port, self.to_port) == wanted

    def opens(self, port: int) -> bool:
        """Whether the rule opens a TCP port."""
        if isinstance(self.protocol, str | int | float) and str(self.protocol).lower() not in _TCP:
            return False
        if self.protocol in ("-1", "all", -1) or self.from_port is None or self.to_port is None:
            return True
        return self.from_port <= port <= self.to_port


def ingress_of(resource: Resource) -> Iterator[Ingress]:
    """The ingress rules of a resource; empty for other types and for egress rules."""
    if resource.type in GROUP_TYPES:
        yield from _inline(resource)
    elif resource.type == OLD_RULE and resource.at("type") in ("ingress", UNKNOWN):
        yield _ingress(resource, resource.properties, "")
    elif resource.type == RULE:
        yield _single(resource)


def _inline(resource: Resource) -> Iterator[Ingress]:
    rules = resource.stated("ingress")
    if rules is UNKNOWN:
        yield Ingress(resource, None, None, None, (Source("unknown", "ingress", UNKNOWN),))
        return
    for index, rule in enumerate(sequence(rules)):
        if rule is UNKNOWN:
            yield Ingress(resource, None, None, None, (Source("unknown", f"ingress[{index}]", UNKNOWN),))
    for index, rule in mappings(rules):
        yield _ingress(resource, rule, f"ingress[{index}].")


def _ingress(resource: Resource, rule: dict[str, Any], prefix: str) -> Ingress:
    sources: list[Source] = []
    for name in ("cidrBlocks", "ipv6CidrBlocks"):
        sources += _listed("cidr", f"{prefix}{name}", rule.get(name))
    sources += _listed("prefix-list", f"{prefix}prefixListIds", rule.get("prefixListIds"))
    sources += _listed("group", f"{prefix}securityGroups", rule.get("securityGroups"))
    if rule.get("sourceSecurityGroupId") is not None:
        sources.append(Source("group", f"{prefix}sourceSecurityGroupId", rule["sourceSecurityGroupId"]))
    if rule.get("self") is True:
        sources.append(Source("self", f"{prefix}self", value=True))
    return Ingress(
        resource, rule.get("protocol"), integer(rule.get("fromPort")), integer(rule.get("toPort")), tuple(sources)
    )


def _listed(kind: SourceKind, path: str, values: Any) -> Iterator[Source]:
    if values is UNKNOWN:
        yield Source(kind, path, UNKNOWN)
        return
    for index, value in enumerate(sequence(values)):
        yield Source(kind, f"{path}[{index}]", value)


def _single(resource: Resource) -> Ingress:
    kinds: tuple[tuple[str, SourceKind], ...] = (
        ("cidrIpv4", "cidr"),
        ("cidrIpv6", "cidr"),
        ("prefixListId", "prefix-list"),
        ("referencedSecurityGroupId", "group"),
    )
    sources = tuple(Source(kind, name, resource.at(name)) for name, kind in kinds if resource.at(name) is not None)
    return Ingress(
        resource, resource.at("ipProtocol"), integer(resource.at("fromPort")), integer(resource.at("toPort")), sources
    )
