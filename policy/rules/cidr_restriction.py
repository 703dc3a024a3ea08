"""cidr-restriction: nothing reaches a load balancer or a task from outside the configured ranges."""

from collections.abc import Iterator
from typing import Any, Final

from rules.configuration import Option
from rules.entries import check_entries
from rules.group_users import GroupUsers
from rules.networks import Network, contained, parse_network
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.security_groups import RULE_TYPES, Ingress, Source, ingress_of
from rules.values import UNKNOWN, at, mappings, sequence, text

__all__ = ["RULE"]

INSIDE: Final = "ranges"
_PREFIX_LIST: Final = "ec2/managedPrefixList"


def _check(stack: Stack, findings: Findings) -> None:
    users = GroupUsers(stack)
    entrances = users.entrances()
    prefix_lists = _PrefixLists(stack)
    for carrier in stack.of(*RULE_TYPES):
        for ingress in ingress_of(carrier):
            guarded = users.guarded(ingress)
            # A group that only guards something else (a database, an endpoint) is out of scope, unless a load balancer or
            # a task lets it in. One that nothing in the stack uses may belong to a load balancer of another stack.
            inside = {group.urn for group in users.groups_of(ingress)} & entrances
            if guarded.types and not (guarded.load_balancer or guarded.task or inside):
                continue
            for source in ingress.sources:
                _source(ingress, source, findings, prefix_lists)
    _listener_conditions(stack, findings)
    _unguarded_load_balancers(stack, findings)
    check_entries(stack, findings)


def _source(ingress: Ingress, source: Source, findings: Findings, prefix_lists: "_PrefixLists") -> None:
    carrier = ingress.carrier
    if source.kind in ("group", "self"):
        return
    if source.value is UNKNOWN and source.kind != "prefix-list":
        findings.not_evaluated(carrier, INSIDE, source.path)
    elif source.kind == "cidr":
        _range(carrier, source.path, source.value, findings)
    elif source.kind == "prefix-list":
        if source.value in findings.settings.strings("allowedPrefixLists"):
            return
        entries = prefix_lists.entries(carrier, source)
        if entries is None:
            findings.violation(
                carrier,
                "prefix-list",
                f"{source.path} names a prefix list whose ranges can't be seen from this stack",
                "use CIDR blocks, or put the list's id into allowedPrefixLists once its ranges are reviewed",
            )
            return
        for holder, path, value in entries:
            _range(holder, path, value, findings)


def _range(resource: Resource, path: str, value: Any, findings: Findings) -> None:
    if value is UNKNOWN:
        findings.not_evaluated(resource, INSIDE, path)
        return
    network = parse_network(value)
    if network is None:
        findings.violation(
            resource, INSIDE, f"{path} is not a CIDR block", "write it as address/length, 10.0.0.0/8 for one"
        )
    elif not contained(network, findings.settings.ranges["allowedCidrBlocks"]):
        findings.violation(
            resource,
            INSIDE,
            f"{path} lets {network} in, which is not inside the allowed ranges ({_shown(findings)})",
            "narrow it to the ranges that need access, or have the range added to allowedCidrBlocks of this policy",
        )


def _shown(findings: Findings) -> str:
    ranges: tuple[Network, ...] = findings.settings.ranges["allowedCidrBlocks"]
    shown = [str(network) for network in ranges[:6]]
    return ", ".join(shown) + (f" and {len(ranges) - 6} more" if len(ranges) > 6 else "") if shown else "none"


def _listener_conditions(stack: Stack, findings: Findings) -> None:
    for rule in stack.of("lb/listenerRule"):
        actions = [action for _, action in mappings(rule.at("actions"))]
        if actions and not any(action.get("type") in ("forward", UNKNOWN) for action in actions):
            continue
        for index, condition in mappings(rule.at("conditions")):
            path = f"conditions[{index}].sourceIp.values"
            values = at(condition, "sourceIp.values")
            if values is UNKNOWN:
                findings.not_evaluated(rule, INSIDE, path)
                continue
            for position, value in enumerate(sequence(values)):
                _range(rule, f"{path}[{position}]", value, findings)


def _unguarded_load_balancers(stack: Stack, findings: Findings) -> None:
    for balancer in stack.of("lb/loadBalancer"):
        groups = balancer.at("securityGroups")
        if balancer.at("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic") == "off" and any(
            balancer in stack.linked(each, "networkLoadBalancerArns", "lb/loadBalancer")
            for each in stack.of("ec2/vpcEndpointService")
        ):
            what = "requests through its endpoint service pass by its security groups"
            remedy = "leave enforceSecurityGroupInboundRulesOnPrivateLinkTraffic on"
            findings.violation(balancer, "guarded", what, remedy)
        outside = balancer.at("loadBalancerType") == "network" and balancer.at("internal") is not True
        if outside and groups is not UNKNOWN and not sequence(groups):
            findings.violation(
                balancer,
                "guarded",
                "it faces the internet without a security group, so every address reaches it",
                "give it securityGroups whose ingress stays inside the allowed ranges (AWS accepts them at creation only)",
            )


class _PrefixLists:
    """The ranges in the stack's own prefix lists."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._separate: dict[str, list[Resource]] = {}
        for entry in stack.of("ec2/managedPrefixListEntry"):
            for owner in stack.linked(entry, "prefixListId", _PREFIX_LIST):
                self._separate.setdefault(owner.urn, []).append(entry)

    def entries(self, carrier: Resource, source: Source) -> list[tuple[Resource, str, Any]] | None:
        """Holder, path and CIDR block of each entry of the list that a source names; None for a list from elsewhere."""
        known = self._stack.by_identity(text(source.value), _PREFIX_LIST)
        lists = [known] if known else self._stack.dependencies(carrier, source.property, _PREFIX_LIST)
        return [entry for each in lists for entry in self._of(each)] if lists else None

    def _of(self, prefix_list: Resource) -> Iterator[tuple[Resource, str, Any]]:
        if prefix_list.at("entries") is UNKNOWN:
            yield prefix_list, "entries", UNKNOWN
        for index, entry in mappings(prefix_list.at("entries")):
            yield prefix_list, f"entries[{index}].cidr", entry.get("cidr")
        for separate in self._separate.get(prefix_list.urn, ()):
            yield separate, "cidr", separate.at("cidr")


RULE: Final = Rule(
    name="cidr-restriction",
    title="CIDR restriction",
    description="Nothing reaches a load balancer or a task from outside the configured ranges.",
    why=(
        "A server that plans and applies infrastructure gives access to all of it. Scanners that look at ports accept"
        " 0.0.0.0/0 on 443; this policy requires each range to lie inside the ranges that the organization allows, in"
        " every representation of a rule: split ranges, IPv6 and prefix lists included."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=("EC2.18", "EC2.19"),
    remediation=(
        "Narrow the rule to the ranges that need access. Where a new range is right, add it to allowedCidrBlocks of this"
        " policy in the organization's configuration, where it is reviewed."
    ),
    checks={
        "ranges": "Ingress rules, prefix list entries and source-ip conditions lie inside `allowedCidrBlocks`.",
        "prefix-list": "A prefix list from outside the stack is named in `allowedPrefixLists`.",
        "guarded": "A network load balancer that faces the internet has security groups, which apply to PrivateLink as well.",
        "entry": "API Gateway, CloudFront and PrivateLink in front of a load balancer restrict who may connect.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "allowedCidrBlocks",
            "ranges",
            ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
            "Ranges that may reach load balancers and tasks. The default is the private ranges.",
        ),
        Option("allowedPrefixLists", "strings", [], "Ids of prefix lists of other stacks whose ranges were reviewed."),
    ),
)
