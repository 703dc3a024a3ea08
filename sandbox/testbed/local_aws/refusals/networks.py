"""What EC2 refuses. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has the codes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from sandbox.testbed.local_aws.refusals.call import Call

_RULES_PER_GROUP = 60
_TAGS = 50
_PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
"""Members of a rule, and what identifies a peer in each."""


def network(block: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network of a CIDR block; None if it isn't one."""
    try:
        return ipaddress.ip_network(str(block), strict=False) if "/" in str(block) else None
    except ValueError:
        return None


def described(call: Call, kind: str, identity: Any) -> dict[str, Any]:
    """A resource of a kind such as `RouteTable`; empty if it doesn't exist."""
    key = f"{kind.removeprefix('Security')}Id"
    return next((item for item in call.all(f"ec2:Describe{kind}s", f"{kind}s") if item[key] == identity), {})


def subnet(call: Call, identity: Any) -> dict[str, Any]:
    """A subnet; empty if it doesn't exist."""
    return described(call, "Subnet", identity)


def group_network(call: Call, identity: Any) -> str | None:
    """The VPC of a security group; None if the group doesn't exist."""
    return described(call, "SecurityGroup", identity).get("VpcId")


def has_gateway(call: Call, vpc: Any) -> bool:
    """Whether an internet gateway is attached to a VPC."""
    return vpc in call.all("ec2:DescribeInternetGateways", "InternetGateways[].Attachments[].VpcId")


def malformed(call: Call) -> bool:
    return bool(call["CidrBlock"]) and network(call["CidrBlock"]) is None


def size(call: Call, smallest: int = 28, largest: int = 16) -> bool:
    block = network(call["CidrBlock"])
    return block is not None and block.version == 4 and not largest <= block.prefixlen <= smallest


def _blocks(call: Call, vpc: Any) -> list[Any]:
    """The IPv4 networks of a VPC."""
    found = described(call, "Vpc", vpc)
    more = [item["CidrBlock"] for item in found.get("CidrBlockAssociationSet", [])]
    return [network(block) for block in {found.get("CidrBlock"), *more} if block]


def outside(call: Call) -> bool:
    block, own = network(call["CidrBlock"]), _blocks(call, call["VpcId"])
    return block is not None and bool(own) and not any(_within(block, item) for item in own)


def _within(inner: Any, outer: Any) -> bool:
    return inner is not None and outer is not None and inner.version == outer.version and inner.subnet_of(outer)


def overlaps(call: Call) -> bool:
    block = network(call["CidrBlock"])
    others = (item for item in call.all("DescribeSubnets", "Subnets[]") if item["VpcId"] == call["VpcId"])
    return block is not None and any(block.overlaps(found) for item in others if (found := network(item["CidrBlock"])))


def mount_targets(call: Call) -> list[dict[str, Any]]:
    """The mount targets of all file systems, with their security groups."""
    systems = call.all("efs:DescribeFileSystems", "FileSystems[].FileSystemId")
    found = [
        each for system in systems for each in call.all("efs:DescribeMountTargets", "MountTargets", FileSystemId=system)
    ]
    groups = "efs:DescribeMountTargetSecurityGroups", "SecurityGroups"
    return [{**each, "Groups": call.all(*groups, MountTargetId=each["MountTargetId"])} for each in found]


def _rules(permissions: Any) -> Iterator[tuple[Any, ...]]:
    """Each rule as EC2 counts and identifies it: a peer with a protocol and ports, without its description."""
    for rule in permissions or []:
        protocol = str(rule.get("IpProtocol", "-1"))
        ports = (None, None) if protocol == "-1" else (rule.get("FromPort"), rule.get("ToPort"))
        for peers, name in _PEERS.items():
            for item in rule.get(peers) or []:
                yield protocol, *ports, str(network(item.get(name)) or item.get(name))


def _own_rules(call: Call) -> Iterator[tuple[Any, ...]]:
    """The rules that the security group of a call has in the call's direction."""
    direction = "IpPermissionsEgress" if call.operation.endswith("Egress") else "IpPermissions"
    return _rules(described(call, "SecurityGroup", call["GroupId"]).get(direction))


def existing_rule(call: Call) -> str | None:
    existing = set(_own_rules(call))
    found = next((rule for rule in _rules(call["IpPermissions"]) if rule in existing), None)
    if found is None:
        return None
    protocol, start, end, peer = found
    return f"peer: {peer}, {protocol}, from port: {'all' if start is None else start}, to port: {'all' if end is None else end}, ALLOW"


def too_many_rules(call: Call) -> bool:
    for_ipv6 = [":" in str(rule[-1]) for rule in (*_own_rules(call), *_rules(call["IpPermissions"]))]
    return max(sum(for_ipv6), len(for_ipv6) - sum(for_ipv6)) > _RULES_PER_GROUP


def wrong_rule(call: Call) -> str | None:
    for rule in call.each("IpPermissions"):
        protocol, start, end = str(rule.get("IpProtocol")), rule.get("FromPort"), rule.get("ToPort")
        if protocol in ("tcp", "udp", "6", "17") and start is not None and end is not None:
            if start > end:
                return f"Invalid TCP/UDP port range. FromPort {start} is greater than ToPort {end}"
            if not -1 <= start <= 65535 or not -1 <= end <= 65535:
                return f"TCP/UDP port ({end if end > 65535 else start}) out of range"
        for block in [
            *(item.get("CidrIp") for item in rule.get("IpRanges") or []),
            *(item.get("CidrIpv6") for item in rule.get("Ipv6Ranges") or []),
        ]:
            if network(block) is None:
                return f"CIDR block {block} is malformed"
    return None


def lost_peer(call: Call) -> str | None:
    """A peer that doesn't exist, or is in another VPC without a peering connection."""
    path = "VpcPeeringConnections[?Status.Code=='active'].[AccepterVpcInfo.VpcId, RequesterVpcInfo.VpcId][]"
    reached = {group_network(call, call["GroupId"]), *call.all("DescribeVpcPeeringConnections", path)}
    pairs = call.each("IpPermissions[].UserIdGroupPairs[]")
    own = [pair.get("GroupId") for pair in pairs if pair.get("UserId") in (None, call.account)]
    return next((group for group in own if group and (group_network(call, group) or group) not in reached), None)


def _destination(item: Any) -> Any:
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next((item[name] for name in names if item.get(name)), None)


def routed(call: Call) -> bool:
    wanted = _destination(call.parameters)
    routes = described(call, "RouteTable", call["RouteTableId"]).get("Routes", [])
    return wanted in [_destination(route) for route in routes]


def within_local(call: Call) -> bool:
    """Only network interfaces and instances, and the like, may be targets of routes within the VPC."""
    block = network(call["DestinationCidrBlock"])
    vpc = described(call, "RouteTable", call["RouteTableId"]).get("VpcId")
    return bool(call["GatewayId"] or call["NatGatewayId"]) and any(_within(block, own) for own in _blocks(call, vpc))


def too_many_tags(call: Call) -> bool:
    for resource in call.each("Resources"):
        existing = call.all("DescribeTags", "Tags[].Key", Filters=[{"Name": "resource-id", "Values": [resource]}])
        if len({*existing, *call.each("Tags[].Key")}) > _TAGS:
            return True
    return False
