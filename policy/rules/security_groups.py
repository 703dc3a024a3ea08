"""Ingress rules of security groups, whichever of the provider's four representations they are written in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from rules.resources import Resource, Stack
from rules.values import UNKNOWN, integer, mappings, sequence

__all__ = ["GROUP_TYPES", "RULE_TYPES", "GroupUsers", "Ingress", "Source", "ingress_of"]

GROUP: Final = "ec2/securityGroup"
DEFAULT_GROUP: Final = "ec2/defaultSecurityGroup"
OLD_RULE: Final = "ec2/securityGroupRule"
RULE: Final = "vpc/securityGroupIngressRule"
GROUP_TYPES: Final = (GROUP, DEFAULT_GROUP)
RULE_TYPES: Final = (*GROUP_TYPES, OLD_RULE, RULE)

SourceKind = Literal["cidr", "prefix-list", "group", "self", "unknown"]


@dataclass(frozen=True)
class Source:
    """Who an ingress rule lets in: ``value`` is a CIDR block, the id of a prefix list or of a group, or ``UNKNOWN``.

    path is where it stands in the resource that carries the rule; ``property`` is the top-level property.
    """

    kind: SourceKind
    path: str
    value: Any

    @property
    def property(self) -> str:
        """The top-level property that it stands in."""
        return self.path.partition("[")[0]


@dataclass(frozen=True)
class Ingress:
    """One ingress rule. ``carrier`` is the resource that holds it; ports are None where it is for all of them."""

    carrier: Resource
    protocol: Any
    from_port: int | None
    to_port: int | None
    sources: tuple[Source, ...]

    def opens(self, port: int) -> bool:
        """Whether the rule lets a TCP port through."""
        if self.protocol in ("-1", "all", -1) or self.from_port is None or self.to_port is None:
            return True
        return self.from_port <= port <= self.to_port


def ingress_of(resource: Resource) -> Iterator[Ingress]:
    """The ingress rules that a resource carries; empty for other types and for egress rules."""
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
        resource,
        resource.at("ipProtocol"),
        integer(resource.at("fromPort")),
        integer(resource.at("toPort")),
        sources,
    )


LOAD_BALANCERS: Final = ("lb/loadBalancer", "elb/loadBalancer")
TASKS: Final = ("ecs/service", "ecs/taskSet")
_NOT_USERS: Final = (*RULE_TYPES, "vpc/securityGroupEgressRule", "ec2/networkInterfaceSecurityGroupAttachment")
_GROUP_PROPERTIES: Final = {
    "lb/loadBalancer": "securityGroups",
    "elb/loadBalancer": "securityGroups",
    "ecs/service": "networkConfiguration.securityGroups",
    "ecs/taskSet": "networkConfiguration.securityGroups",
    "efs/mountTarget": "securityGroups",
}


class GroupUsers:
    """Who stands behind each security group of a stack, worked out once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._users: dict[str, dict[str, Resource]] = {}
        self._literal_users: dict[str, dict[str, Resource]] = {}
        for group in stack.of(*GROUP_TYPES):
            self._users[group.urn] = {
                user.urn: user for _, user in stack.dependents.get(group.urn, ()) if user.type not in _NOT_USERS
            }
        for canonical, path in _GROUP_PROPERTIES.items():
            for user in stack.of(canonical):
                self._note(user, path)

    def _note(self, user: Resource, path: str) -> None:
        for value in sequence(user.at(path)):
            if not isinstance(value, str):
                continue
            self._literal_users.setdefault(value, {})[user.urn] = user
            for canonical in GROUP_TYPES:
                group = self._stack.by_identity(value, canonical)
                if group is not None:
                    self._users.setdefault(group.urn, {})[user.urn] = user

    def guarded(self, ingress: Ingress) -> "Guarded":
        """What the group of an ingress rule stands in front of."""
        if ingress.carrier.type in GROUP_TYPES:
            return self._of_groups([ingress.carrier])
        groups = [
            group
            for canonical in GROUP_TYPES
            for group in self._stack.linked(ingress.carrier, "securityGroupId", canonical)
        ]
        if groups:
            return self._of_groups(groups)
        return self._of_id(ingress.carrier.at("securityGroupId")) or Guarded(())

    def behind(self, ingress: Ingress, source: Source) -> "Guarded | None":
        """Who uses the group that a source names; None where the group is not in the stack and no one here uses it."""
        if source.kind == "self":
            return self.guarded(ingress)
        if isinstance(source.value, str):
            for canonical in GROUP_TYPES:
                group = self._stack.by_identity(source.value, canonical)
                if group is not None:
                    return self._of_groups([group])
            known = self._of_id(source.value)
            if known is not None:
                return known
        groups = [
            group
            for canonical in GROUP_TYPES
            for group in self._stack.dependencies(ingress.carrier, source.property, canonical)
        ]
        return self._of_groups(groups) if groups else None

    def _of_id(self, identity: Any) -> "Guarded | None":
        """Who uses a group of another stack, by its id; None where no one here does."""
        users = self._literal_users.get(identity) if isinstance(identity, str) else None
        return Guarded(tuple(users.values())) if users else None

    def _of_groups(self, groups: list[Resource]) -> "Guarded":
        return Guarded(tuple(user for group in groups for user in self._users.get(group.urn, {}).values()))


@dataclass(frozen=True)
class Guarded:
    """The resources that use a security group; empty where nothing in the stack is known to."""

    users: tuple[Resource, ...]

    @property
    def types(self) -> frozenset[str]:
        """Their types."""
        return frozenset(user.type for user in self.users)

    @property
    def load_balancer(self) -> bool:
        """Whether a load balancer is among them."""
        return not self.types.isdisjoint(LOAD_BALANCERS)

    @property
    def task(self) -> bool:
        """Whether an ECS service is among them."""
        return not self.types.isdisjoint(TASKS)

    @property
    def balanced_task(self) -> bool:
        """Whether an ECS service that a load balancer forwards to is among them."""
        return any(user.type in TASKS and bool(user.at("loadBalancers")) for user in self.users)

    @property
    def file_system(self) -> bool:
        """Whether an EFS mount target is among them."""
        return "efs/mountTarget" in self.types
