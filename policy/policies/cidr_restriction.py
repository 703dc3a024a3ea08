"""cidr-restriction: only the configured ranges can reach load balancers and tasks."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from evaluation.aws.group_users import GroupUsers
from evaluation.aws.networks import Network, contained, parse_network
from evaluation.aws.security_groups import RULE_TYPES, Ingress, Source, ingress_of
from evaluation.aws.stack_ranges import StackRanges
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, mappings, sequence, shortened, text, truth
from policies.entries import check_entries
from tables import read

INSIDE: Final = "ranges"
_CLOUDFRONT: Final = frozenset(read("prefix_lists")["cloudfront_origin_facing"])
_PREFIX_LIST: Final = "ec2/managedPrefixList"
_ENDPOINT: Final = "ec2/vpcEndpoint"


class _Range(NamedTuple):
    """A range that a resource allows, and what it can reach: protocol and ports, if a security group limits them."""

    resource: Resource
    path: str
    value: Any
    reach: tuple[Any, ...] = ()


def _check(stack: Stack, findings: Findings) -> None:
    users = GroupUsers(stack)
    entrances = users.entrances()
    prefix_lists = _PrefixLists(stack)
    own = StackRanges(stack)
    for carrier in stack.of(*RULE_TYPES):
        for ingress in ingress_of(carrier):
            if ingress.path_mtu:
                continue
            guarded = users.guarded(ingress)
            # A group that only other resources use (a database, an endpoint) is out of scope, unless the group of a load
            # balancer or a task admits it. A group that no resource uses may belong to a load balancer of another stack.
            inside = {group.urn for group in users.groups_of(ingress)} & entrances
            if guarded.types and not (guarded.load_balancer or guarded.task or inside):
                continue
            for source in ingress.sources:
                _source(ingress, source, findings, prefix_lists, own)
    _listener_conditions(stack, findings, own)
    _unguarded_load_balancers(stack, findings)
    check_entries(stack, findings)


def _source(
    ingress: Ingress, source: Source, findings: Findings, prefix_lists: "_PrefixLists", own: StackRanges
) -> None:
    carrier = ingress.carrier
    if source.kind in ("group", "self"):
        return
    if source.value is UNKNOWN and source.kind == "cidr" and own.named_by(carrier, source.property):
        return
    if source.value is UNKNOWN and source.kind != "prefix-list":
        findings.not_evaluated(carrier, INSIDE, source.path)
    elif source.kind == "cidr":
        _range(_Range(carrier, source.path, source.value, ingress.reach), findings, own)
    elif source.kind == "prefix-list":
        if source.value in findings.settings.strings("allowedPrefixLists"):
            return
        if text(source.value) in _CLOUDFRONT:
            why = "names CloudFront's prefix list, through which the distributions of every account can connect"
            findings.not_evaluated(carrier, "prefix-list", source.path, why)
            return
        if prefix_lists.of_endpoint(carrier, source):
            return  # a gateway endpoint of the stack: the addresses of Amazon S3 or DynamoDB in the Region
        entries = prefix_lists.entries(carrier, source)
        if entries is None:
            what = f"{source.path} names a prefix list of another stack, whose ranges aren't known here"
            remedy = "use CIDR blocks, or review the list's ranges and add its ID to allowedPrefixLists of this policy"
            findings.violation(carrier, "prefix-list", source.path, what, remedy, value=(source.value, *ingress.reach))
            return
        for holder, path, value in entries:
            _range(_Range(holder, path, value, ingress.reach), findings, own)


def _range(allowed: _Range, findings: Findings, own: StackRanges) -> None:
    network = parse_network(allowed.value)
    if allowed.value is UNKNOWN:
        findings.not_evaluated(allowed.resource, INSIDE, allowed.path)
    elif network is None:
        what = f"{allowed.path} isn't a CIDR block"
        remedy = "use the format address/length, such as 10.0.0.0/8"
        findings.violation(allowed.resource, INSIDE, allowed.path, what, remedy, value=allowed.value)
    elif not contained(network, findings.settings.ranges["allowedCidrBlocks"]) and not own.ranges.contains(network):
        what = f"{allowed.path} allows {network}, which is outside of the allowed ranges ({_shown(findings)})"
        remedy = "limit it to the ranges that need access, or add the range to allowedCidrBlocks of this policy"
        evidence = (network, *allowed.reach)
        findings.violation(allowed.resource, INSIDE, allowed.path, what, remedy, value=evidence)


def _shown(findings: Findings) -> str:
    ranges: tuple[Network, ...] = findings.settings.ranges["allowedCidrBlocks"]
    return ", ".join(shortened([str(network) for network in ranges], 6)) or "none"


def _listener_conditions(stack: Stack, findings: Findings, own: StackRanges) -> None:
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
                _range(_Range(rule, f"{path}[{position}]", value), findings, own)


def _unguarded_load_balancers(stack: Stack, findings: Findings) -> None:
    served = stack.referred("ec2/vpcEndpointService", "networkLoadBalancerArns", "lb/loadBalancer")
    for balancer in stack.of("lb/loadBalancer"):
        groups = balancer.at("securityGroups")
        enforced = balancer.at("enforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off"
        if not enforced and balancer.urn in served:
            what = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic is off, so PrivateLink requests bypass the security groups"
            remedy = "set enforceSecurityGroupInboundRulesOnPrivateLinkTraffic to on"
            findings.violation(
                balancer, "guarded", "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", what, remedy
            )
        network, internal = balancer.at("loadBalancerType") == "network", balancer.stated("internal")
        if not network or truth(internal) or groups is UNKNOWN or sequence(groups):
            continue
        if internal is UNKNOWN:
            findings.not_evaluated(balancer, "guarded", "internal")
        else:
            what = "the internet-facing load balancer has no security group, so every address can reach it"
            remedy = "set securityGroups with ingress from the allowed ranges only (AWS accepts them only at creation)"
            findings.violation(balancer, "guarded", "securityGroups", what, remedy)


class _PrefixLists:
    """The ranges of the prefix lists that the stack manages."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._separate: dict[str, list[Resource]] = {}
        self._of_endpoints = {text(each.at("prefixListId")) for each in stack.of(_ENDPOINT)} - {None}
        for entry in stack.of("ec2/managedPrefixListEntry"):
            for owner in stack.linked(entry, "prefixListId", _PREFIX_LIST):
                self._separate.setdefault(owner.urn, []).append(entry)

    def entries(self, carrier: Resource, source: Source) -> list[tuple[Resource, str, Any]] | None:
        """Resource, path and CIDR block of each entry of the list that a source names; None for a list of another stack."""
        known = self._stack.by_identity(text(source.value), _PREFIX_LIST)
        lists = [known] if known else self._stack.dependencies(carrier, source.property, _PREFIX_LIST)
        return [entry for each in lists for entry in self._of(each)] if lists else None

    def of_endpoint(self, carrier: Resource, source: Source) -> bool:
        """Whether a source names the prefix list of a gateway endpoint of the stack."""
        if source.value is UNKNOWN:
            return bool(self._stack.dependencies(carrier, source.property, _ENDPOINT))
        return text(source.value) is not None and text(source.value) in self._of_endpoints

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
    description="Only the configured CIDR ranges can reach load balancers and ECS tasks.",
    why=(
        "Access to a server that applies infrastructure is access to all of that infrastructure. Scanners that check ports"
        " accept 0.0.0.0/0 on port 443. This policy requires that each range is inside the ranges that the organization"
        " allows, in every form of a rule, including split ranges, IPv6 and prefix lists."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=("EC2.18", "EC2.19"),
    remediation=(
        "Limit the rule to the ranges that need access. If a new range is legitimate, add it to allowedCidrBlocks of this"
        " policy in the organization's configuration."
    ),
    checks={
        "ranges": (
            "Ingress rules, prefix list entries and source-ip conditions are inside `allowedCidrBlocks`, or inside the"
            " stack's own VPCs, subnets and Elastic IP addresses."
        ),
        "prefix-list": (
            "Prefix lists of other stacks are listed in `allowedPrefixLists`; those of CloudFront and of gateway endpoints are"
            " known."
        ),
        "guarded": "Internet-facing Network Load Balancers have security groups, which also apply to PrivateLink traffic.",
        "entry": "API Gateway, CloudFront, Global Accelerator and PrivateLink in front of a load balancer restrict the source of requests.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "allowedCidrBlocks",
            "ranges",
            ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"],
            "CIDR ranges that may reach load balancers and tasks. The default is the private ranges.",
        ),
        Option(
            "allowedPrefixLists", "strings", [], "IDs of prefix lists of other stacks whose ranges you have reviewed."
        ),
    ),
)
