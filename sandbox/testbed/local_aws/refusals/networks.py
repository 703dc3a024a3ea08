"""What EC2 refuses. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has the codes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from sandbox.testbed.local_aws.refusals.call import Call

_RULES_PER_GROUP = 60
_TAGS = 50


def network(block: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network of a CIDR block; None if it isn't one."""
    try:
        return ipaddress.ip_network(str(block), strict=False) if "/" in str(block) else None
    except ValueError:
        return None


def subnet(call: Call, identity: Any) -> dict[str, Any]:
    """A subnet; empty if it doesn't exist."""
    found = call.all("ec2:DescribeSubnets", "Subnets[]")
    return next((item for item in found if item["SubnetId"] == identity), {})


def group_network(call: Call, identity: Any) -> str | None:
    """The VPC of a security group; None if the group doesn't exist."""
    found = call.all("ec2:DescribeSecurityGroups", "SecurityGroups[]")
    return next((item.get("VpcId", "") for item in found if item["GroupId"] == identity), None)


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
    found = next((item for item in call.all("DescribeVpcs", "Vpcs[]") if item["VpcId"] == vpc), {})
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


def in_subnet(call: Call, identity: Any) -> Iterator[str]:
    """What is in a subnet and prevents its deletion."""
    yield from call.all("DescribeNetworkInterfaces", f"NetworkInterfaces[?SubnetId=='{identity}'].NetworkInterfaceId")
    gone = "State!='deleted' && State!='failed'"
    yield from call.all("DescribeNatGateways", f"NatGateways[?SubnetId=='{identity}' && {gone}].NatGatewayId")
    reservations = "Reservations[].Instances[?State.Name!='terminated'][]"
    yield from call.all("DescribeInstances", f"{reservations} | [?SubnetId=='{identity}'].InstanceId")
    yield from call.all(
        "DescribeVpcEndpoints", f"VpcEndpoints[?contains(SubnetIds || `[]`, '{identity}')].VpcEndpointId"
    )
    zones = f"LoadBalancers[?contains(AvailabilityZones[].SubnetId, '{identity}')].LoadBalancerArn"
    yield from call.all("elbv2:DescribeLoadBalancers", zones)
    for files in call.all("efs:DescribeFileSystems", "FileSystems[].FileSystemId"):
        targets = f"MountTargets[?SubnetId=='{identity}'].MountTargetId"
        yield from call.all("efs:DescribeMountTargets", targets, FileSystemId=files)


def uses_group(call: Call, identity: Any) -> Iterator[str]:
    """What refers to a security group and prevents its deletion."""
    for group in call.all("DescribeSecurityGroups", "SecurityGroups[]"):
        rules = [*group.get("IpPermissions", []), *group.get("IpPermissionsEgress", [])]
        peers = (pair.get("GroupId") for rule in rules for pair in rule.get("UserIdGroupPairs", []))
        if group["GroupId"] != identity and identity in peers:
            yield group["GroupId"]
    yield from call.all(
        "DescribeNetworkInterfaces", f"NetworkInterfaces[?contains(Groups[].GroupId, '{identity}')].NetworkInterfaceId"
    )
    yield from call.all(
        "DescribeVpcEndpoints", f"VpcEndpoints[?contains((Groups || `[]`)[].GroupId, '{identity}')].VpcEndpointId"
    )
    reservations = "Reservations[].Instances[?State.Name!='terminated'][]"
    yield from call.all(
        "DescribeInstances",
        f"{reservations} | [?contains((SecurityGroups || `[]`)[].GroupId, '{identity}')].InstanceId",
    )
    yield from call.all(
        "elbv2:DescribeLoadBalancers", f"LoadBalancers[?contains(SecurityGroups || `[]`, '{identity}')].LoadBalancerArn"
    )
    for files in call.all("efs:DescribeFileSystems", "FileSystems[].FileSystemId"):
        for target in call.all("efs:DescribeMountTargets", "MountTargets[].MountTargetId", FileSystemId=files):
            if identity in call.all("efs:DescribeMountTargetSecurityGroups", "SecurityGroups", MountTargetId=target):
                yield target


def own_group(call: Call) -> dict[str, Any]:
    found = call.all("DescribeSecurityGroups", "SecurityGroups[]")
    return next((item for item in found if item["GroupId"] == call["GroupId"]), {})


def _rules(permissions: Any) -> Iterator[tuple[Any, ...]]:
    """Each rule as EC2 counts and identifies it: a peer with a protocol and ports, without its description."""
    for rule in permissions or []:
        protocol = str(rule.get("IpProtocol", "-1"))
        ports = (None, None) if protocol == "-1" else (rule.get("FromPort"), rule.get("ToPort"))
        for item in rule.get("IpRanges") or []:
            yield protocol, *ports, str(network(item.get("CidrIp")) or item.get("CidrIp"))
        for item in rule.get("Ipv6Ranges") or []:
            yield protocol, *ports, str(network(item.get("CidrIpv6")) or item.get("CidrIpv6"))
        for item in rule.get("UserIdGroupPairs") or []:
            yield protocol, *ports, item.get("GroupId")
        for item in rule.get("PrefixListIds") or []:
            yield protocol, *ports, item.get("PrefixListId")


def _direction(call: Call) -> str:
    return "IpPermissionsEgress" if call.operation.endswith("Egress") else "IpPermissions"


def existing_rule(call: Call) -> str | None:
    existing = set(_rules(own_group(call).get(_direction(call))))
    found = next((rule for rule in _rules(call["IpPermissions"]) if rule in existing), None)
    if found is None:
        return None
    protocol, start, end, peer = found
    return f"peer: {peer}, {protocol}, from port: {'all' if start is None else start}, to port: {'all' if end is None else end}, ALLOW"


def too_many_rules(call: Call) -> bool:
    existing = list(_rules(own_group(call).get(_direction(call))))
    for_ipv6 = [":" in str(rule[-1]) for rule in (*existing, *_rules(call["IpPermissions"]))]
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
    for pair in call.each("IpPermissions[].UserIdGroupPairs[]"):
        if pair.get("UserId") in (None, call.account) and pair.get("GroupId"):
            vpc = group_network(call, pair["GroupId"])
            if vpc is None or (vpc != own_group(call).get("VpcId") and not _peered(call, vpc)):
                return pair["GroupId"]
    return None


def _peered(call: Call, vpc: str) -> bool:
    pairs = "VpcPeeringConnections[?Status.Code=='active'].[AccepterVpcInfo.VpcId, RequesterVpcInfo.VpcId][]"
    return vpc in call.all("DescribeVpcPeeringConnections", pairs)


def table(call: Call, identity: Any) -> dict[str, Any]:
    found = call.all("DescribeRouteTables", "RouteTables[]")
    return next((item for item in found if item["RouteTableId"] == identity), {})


def _destination(item: Any) -> Any:
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next((item[name] for name in names if item.get(name)), None)


def routed(call: Call) -> bool:
    wanted = _destination(call.parameters)
    return wanted in [_destination(route) for route in table(call, call["RouteTableId"]).get("Routes", [])]


def within_local(call: Call) -> bool:
    """Only network interfaces and instances, and the like, may be targets of routes within the VPC."""
    block = network(call["DestinationCidrBlock"])
    vpc = table(call, call["RouteTableId"]).get("VpcId")
    return bool(call["GatewayId"] or call["NatGatewayId"]) and any(_within(block, own) for own in _blocks(call, vpc))


def of_other_network(call: Call) -> bool:
    vpc = subnet(call, call["SubnetId"]).get("VpcId")
    return bool(vpc) and table(call, call["RouteTableId"]).get("VpcId") not in (None, vpc)


def gateway_endpoint_exists(call: Call) -> bool:
    same = f"VpcEndpoints[?VpcId=='{call['VpcId']}' && ServiceName=='{call['ServiceName']}' && State!='deleted'].RouteTableIds[]"
    return bool(set(call.each("RouteTableIds")) & set(call.all("DescribeVpcEndpoints", same)))


def same_zone(call: Call) -> bool:
    zones = [zone for item in call.each("SubnetIds") if (zone := subnet(call, item).get("AvailabilityZone"))]
    return len(zones) != len(set(zones))


def logged(call: Call) -> str | None:
    """A flow log of the same resource, traffic and destination."""
    for log in call.all("DescribeFlowLogs", "FlowLogs[]"):
        same = log.get("TrafficType") == call["TrafficType"] and log.get("ResourceId") in call.each("ResourceIds")
        if same and (log.get("LogGroupName") or log.get("LogDestination")) in (
            call["LogGroupName"],
            call["LogDestination"],
        ):
            return log["FlowLogId"]
    return None


def too_many_tags(call: Call) -> bool:
    for resource in call.each("Resources"):
        existing = call.all("DescribeTags", "Tags[].Key", Filters=[{"Name": "resource-id", "Values": [resource]}])
        if len({*existing, *call.each("Tags[].Key")}) > _TAGS:
            return True
    return False
