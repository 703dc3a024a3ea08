"""What EC2 refuses. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has the codes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.row import Condition, Refusal

__all__ = ["NETWORKS", "group_network", "has_gateway", "network", "subnet"]

_VPC_SIZES = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"
_QUOTAS = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
_AUTHORIZE = "ec2:AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress"
_NAME = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*")
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


def _lost(parameter: str, operation: str, path: str) -> Condition:
    """The ID of a parameter that a describing call doesn't return."""

    def lost(call: Call) -> Any:
        named = call.each(parameter)
        known = call.all(f"ec2:{operation}", path) if named else []
        return next((identity for identity in named if identity not in known), None)

    return lost


def _size(call: Call, smallest: int = 28, largest: int = 16) -> bool:
    block = network(call["CidrBlock"])
    return block is not None and block.version == 4 and not largest <= block.prefixlen <= smallest


def _blocks(call: Call, vpc: Any) -> list[Any]:
    """The IPv4 networks of a VPC."""
    found = next((item for item in call.all("DescribeVpcs", "Vpcs[]") if item["VpcId"] == vpc), {})
    more = [item["CidrBlock"] for item in found.get("CidrBlockAssociationSet", [])]
    return [network(block) for block in {found.get("CidrBlock"), *more} if block]


def _outside(call: Call) -> bool:
    block, own = network(call["CidrBlock"]), _blocks(call, call["VpcId"])
    return block is not None and bool(own) and not any(_within(block, item) for item in own)


def _within(inner: Any, outer: Any) -> bool:
    return inner is not None and outer is not None and inner.version == outer.version and inner.subnet_of(outer)


def _overlaps(call: Call) -> bool:
    block = network(call["CidrBlock"])
    others = (item for item in call.all("DescribeSubnets", "Subnets[]") if item["VpcId"] == call["VpcId"])
    return block is not None and any(block.overlaps(found) for item in others if (found := network(item["CidrBlock"])))


def _in_subnet(call: Call, identity: Any) -> Iterator[str]:
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


def _uses_group(call: Call, identity: Any) -> Iterator[str]:
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


def _in_network(call: Call) -> Any:
    """What is in the VPC that is deleted."""
    vpc = call["VpcId"]
    yield from call.all("DescribeSubnets", f"Subnets[?VpcId=='{vpc}'].SubnetId")
    yield from call.all("DescribeSecurityGroups", f"SecurityGroups[?VpcId=='{vpc}' && GroupName!='default'].GroupId")
    yield from call.all(
        "DescribeInternetGateways", f"InternetGateways[?contains(Attachments[].VpcId, '{vpc}')].InternetGatewayId"
    )
    yield from call.all("DescribeVpcEndpoints", f"VpcEndpoints[?VpcId=='{vpc}' && State!='deleted'].VpcEndpointId")


def _public_addresses(call: Call) -> Any:
    """What has a public address in the VPC whose gateway is detached."""
    vpc = call["VpcId"]
    yield from call.all(
        "DescribeNatGateways",
        f"NatGateways[?VpcId=='{vpc}' && State=='available' && ConnectivityType!='private'].NatGatewayId",
    )
    internet = f"LoadBalancers[?VpcId=='{vpc}' && Scheme=='internet-facing'].LoadBalancerArn"
    yield from call.all("elbv2:DescribeLoadBalancers", internet)


def _first(found: Iterator[str]) -> str | None:
    return next(found, None)


def _own_group(call: Call) -> dict[str, Any]:
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


def _existing_rule(call: Call) -> str | None:
    existing = set(_rules(_own_group(call).get(_direction(call))))
    found = next((rule for rule in _rules(call["IpPermissions"]) if rule in existing), None)
    if found is None:
        return None
    protocol, start, end, peer = found
    return f"peer: {peer}, {protocol}, from port: {'all' if start is None else start}, to port: {'all' if end is None else end}, ALLOW"


def _too_many_rules(call: Call) -> bool:
    existing = list(_rules(_own_group(call).get(_direction(call))))
    for_ipv6 = [":" in str(rule[-1]) for rule in (*existing, *_rules(call["IpPermissions"]))]
    return max(sum(for_ipv6), len(for_ipv6) - sum(for_ipv6)) > _RULES_PER_GROUP


def _wrong_rule(call: Call) -> str | None:
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


def _lost_peer(call: Call) -> str | None:
    """A peer that doesn't exist, or is in another VPC without a peering connection."""
    for pair in call.each("IpPermissions[].UserIdGroupPairs[]"):
        if pair.get("UserId") in (None, call.account) and pair.get("GroupId"):
            vpc = group_network(call, pair["GroupId"])
            if vpc is None or (vpc != _own_group(call).get("VpcId") and not _peered(call, vpc)):
                return pair["GroupId"]
    return None


def _peered(call: Call, vpc: str) -> bool:
    pairs = "VpcPeeringConnections[?Status.Code=='active'].[AccepterVpcInfo.VpcId, RequesterVpcInfo.VpcId][]"
    return vpc in call.all("DescribeVpcPeeringConnections", pairs)


def _table(call: Call, identity: Any) -> dict[str, Any]:
    found = call.all("DescribeRouteTables", "RouteTables[]")
    return next((item for item in found if item["RouteTableId"] == identity), {})


def _destination(item: Any) -> Any:
    names = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return next((item[name] for name in names if item.get(name)), None)


def _routed(call: Call) -> bool:
    wanted = _destination(call.parameters)
    return wanted in [_destination(route) for route in _table(call, call["RouteTableId"]).get("Routes", [])]


def _within_local(call: Call) -> bool:
    """Only network interfaces and instances, and the like, may be targets of routes within the VPC."""
    block = network(call["DestinationCidrBlock"])
    vpc = _table(call, call["RouteTableId"]).get("VpcId")
    return bool(call["GatewayId"] or call["NatGatewayId"]) and any(_within(block, own) for own in _blocks(call, vpc))


def _associated(call: Call) -> str | None:
    for table in call.all("DescribeRouteTables", "RouteTables[]"):
        if call["SubnetId"] and call["SubnetId"] in [item.get("SubnetId") for item in table.get("Associations", [])]:
            return table["RouteTableId"]
    return None


def _of_other_network(call: Call) -> bool:
    vpc = subnet(call, call["SubnetId"]).get("VpcId")
    return bool(vpc) and _table(call, call["RouteTableId"]).get("VpcId") not in (None, vpc)


def _in_use_by_address(call: Call) -> Any:
    gone = "State!='deleted' && State!='failed'"
    path = f"NatGateways[?{gone}].NatGatewayAddresses[].AllocationId"
    return call["AllocationId"] in call.all("DescribeNatGateways", path) or call.all(
        "DescribeAddresses", f"Addresses[?AllocationId=='{call['AllocationId']}'].AssociationId"
    )


def _gateway_endpoint_exists(call: Call) -> bool:
    same = f"VpcEndpoints[?VpcId=='{call['VpcId']}' && ServiceName=='{call['ServiceName']}' && State!='deleted'].RouteTableIds[]"
    return bool(set(call.each("RouteTableIds")) & set(call.all("DescribeVpcEndpoints", same)))


def _private_dns_without_names(call: Call) -> bool:
    if not call["PrivateDnsEnabled"] or call["VpcEndpointType"] != "Interface":
        return False
    path = {"enableDnsHostnames": "EnableDnsHostnames.Value", "enableDnsSupport": "EnableDnsSupport.Value"}
    found = [call.find("DescribeVpcAttribute", path[name], VpcId=call["VpcId"], Attribute=name) for name in path]
    return False in found


def _private_dns_taken(call: Call) -> bool:
    same = f"VpcEndpoints[?VpcId=='{call['VpcId']}' && ServiceName=='{call['ServiceName']}' && PrivateDnsEnabled]"
    return bool(call["PrivateDnsEnabled"]) and bool(call.all("DescribeVpcEndpoints", same))


def _same_zone(call: Call) -> bool:
    zones = [zone for item in call.each("SubnetIds") if (zone := subnet(call, item).get("AvailabilityZone"))]
    return len(zones) != len(set(zones))


def _has_entry(call: Call) -> bool:
    path = f"NetworkAcls[?NetworkAclId=='{call['NetworkAclId']}'].Entries[]"
    entries = call.all("DescribeNetworkAcls", path)
    return (call["RuleNumber"], bool(call["Egress"])) in [(item["RuleNumber"], item["Egress"]) for item in entries]


def _logged(call: Call) -> str | None:
    """A flow log of the same resource, traffic and destination."""
    for log in call.all("DescribeFlowLogs", "FlowLogs[]"):
        same = log.get("TrafficType") == call["TrafficType"] and log.get("ResourceId") in call.each("ResourceIds")
        if same and (log.get("LogGroupName") or log.get("LogDestination")) in (
            call["LogGroupName"],
            call["LogDestination"],
        ):
            return log["FlowLogId"]
    return None


def _too_many_tags(call: Call) -> bool:
    for resource in call.each("Resources"):
        existing = call.all("DescribeTags", "Tags[].Key", Filters=[{"Name": "resource-id", "Values": [resource]}])
        if len({*existing, *call.each("Tags[].Key")}) > _TAGS:
            return True
    return False


def _zone_missing(call: Call) -> bool:
    return call["AvailabilityZone"] not in (
        None,
        *call.all("DescribeAvailabilityZones", "AvailabilityZones[].ZoneName"),
    )


_GROUPS = ("DescribeSecurityGroups", "SecurityGroups[].GroupId")
_SUBNETS = ("DescribeSubnets", "Subnets[].SubnetId")
_VPCS = ("DescribeVpcs", "Vpcs[].VpcId")
_TABLES = ("DescribeRouteTables", "RouteTables[].RouteTableId")
_NO_VPC = "The vpc ID '{found}' does not exist"
_NO_SUBNET = "The subnet ID '{found}' does not exist"
_NO_GROUP = "The security group '{found}' does not exist"
_NO_TABLE = "The routeTable ID '{found}' does not exist"
_DEPENDENCY = "has dependencies and cannot be deleted."

NETWORKS: Final = (
    Refusal(
        "ec2:CreateVpc",
        "InvalidParameterValue",
        "Value ({CidrBlock}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        lambda c: c["CidrBlock"] and network(c["CidrBlock"]) is None,
    ),
    Refusal("ec2:CreateVpc", "InvalidVpc.Range", "The CIDR '{CidrBlock}' is invalid.", _size, _VPC_SIZES),
    Refusal(
        "ec2:DeleteVpc", "DependencyViolation", "The vpc '{VpcId}' " + _DEPENDENCY, lambda c: _first(_in_network(c))
    ),
    Refusal(
        "ec2:CreateSubnet CreateSecurityGroup CreateRouteTable CreateVpcEndpoint",
        "InvalidVpcID.NotFound",
        _NO_VPC,
        _lost("VpcId", *_VPCS),
    ),
    Refusal(
        "ec2:CreateSubnet",
        "InvalidParameterValue",
        "Value ({AvailabilityZone}) for parameter availabilityZone is invalid.",
        _zone_missing,
    ),
    Refusal(
        "ec2:CreateSubnet",
        "InvalidSubnet.Range",
        "The CIDR '{CidrBlock}' is invalid.",
        lambda c: _size(c) or _outside(c),
        _VPC_SIZES,
    ),
    Refusal(
        "ec2:CreateSubnet", "InvalidSubnet.Conflict", "The CIDR '{CidrBlock}' conflicts with another subnet", _overlaps
    ),
    Refusal(
        "ec2:DeleteSubnet",
        "DependencyViolation",
        "The subnet '{SubnetId}' " + _DEPENDENCY,
        lambda c: _first(_in_subnet(c, c["SubnetId"])),
    ),
    Refusal(
        "ec2:CreateSecurityGroup",
        "InvalidGroup.Reserved",
        "Cannot use reserved security group name: default",
        lambda c: c["GroupName"] == "default",
    ),
    Refusal(
        "ec2:CreateSecurityGroup",
        "InvalidParameterValue",
        "Group names may not be in the format sg-*",
        lambda c: str(c["GroupName"]).startswith("sg-"),
    ),
    Refusal(
        "ec2:CreateSecurityGroup",
        "InvalidParameterValue",
        "Value ({found}) for parameter GroupName or GroupDescription is invalid. Character sets beyond ASCII are not supported.",
        lambda c: next(
            (
                text
                for text in (c["GroupName"], c["Description"])
                if text and (len(text) > 255 or not _NAME.fullmatch(text))
            ),
            None,
        ),
    ),
    Refusal(
        "ec2:CreateSecurityGroup",
        "InvalidGroup.Duplicate",
        "The security group '{GroupName}' already exists for VPC '{VpcId}'",
        lambda c: (
            c["VpcId"]
            and c["GroupName"] in c.all("DescribeSecurityGroups", f"SecurityGroups[?VpcId=='{c['VpcId']}'].GroupName")
        ),
    ),
    Refusal(
        "ec2:DeleteSecurityGroup",
        "CannotDelete",
        'the specified group: "{GroupId}" name: "default" cannot be deleted by a user',
        lambda c: _own_group(c).get("GroupName") == "default",
    ),
    Refusal(
        "ec2:DeleteSecurityGroup",
        "DependencyViolation",
        "resource {GroupId} has a dependent object",
        lambda c: _first(_uses_group(c, c["GroupId"])),
    ),
    Refusal(_AUTHORIZE, "InvalidGroup.NotFound", _NO_GROUP, _lost("GroupId", *_GROUPS)),
    Refusal(_AUTHORIZE, "InvalidParameterValue", "{found}", _wrong_rule),
    Refusal(
        _AUTHORIZE,
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks, or the security group '{found}' does not exist",
        _lost_peer,
    ),
    Refusal(_AUTHORIZE, "InvalidPermission.Duplicate", 'the specified rule "{found}" already exists', _existing_rule),
    Refusal(
        _AUTHORIZE,
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
        _too_many_rules,
        _QUOTAS,
    ),
    Refusal(
        "ec2:AttachInternetGateway",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{found}' does not exist",
        _lost("InternetGatewayId", "DescribeInternetGateways", "InternetGateways[].InternetGatewayId"),
    ),
    Refusal("ec2:AttachInternetGateway", "InvalidVpcID.NotFound", _NO_VPC, _lost("VpcId", *_VPCS)),
    Refusal(
        "ec2:AttachInternetGateway",
        "Resource.AlreadyAssociated",
        "resource {InternetGatewayId} is already attached to network {found}",
        lambda c: c.find(
            "DescribeInternetGateways",
            f"InternetGateways[?InternetGatewayId=='{c['InternetGatewayId']}'].Attachments[].VpcId | [0]",
        ),
    ),
    Refusal(
        "ec2:AttachInternetGateway",
        "InvalidParameterValue",
        "Network {VpcId} already has an internet gateway attached",
        lambda c: has_gateway(c, c["VpcId"]),
    ),
    Refusal(
        "ec2:DetachInternetGateway",
        "Gateway.NotAttached",
        "resource {InternetGatewayId} is not attached to network {VpcId}",
        lambda c: (
            c["VpcId"]
            not in c.all(
                "DescribeInternetGateways",
                f"InternetGateways[?InternetGatewayId=='{c['InternetGatewayId']}'].Attachments[].VpcId",
            )
        ),
    ),
    Refusal(
        "ec2:DetachInternetGateway",
        "DependencyViolation",
        "Network {VpcId} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.",
        lambda c: _first(_public_addresses(c)),
    ),
    Refusal(
        "ec2:DeleteInternetGateway",
        "DependencyViolation",
        "The internetGateway '{InternetGatewayId}' " + _DEPENDENCY,
        lambda c: c.find(
            "DescribeInternetGateways",
            f"InternetGateways[?InternetGatewayId=='{c['InternetGatewayId']}'].Attachments[].VpcId | [0]",
        ),
    ),
    Refusal(
        "ec2:CreateRoute DeleteRoute ReplaceRoute",
        "InvalidRouteTableID.NotFound",
        _NO_TABLE,
        _lost("RouteTableId", *_TABLES),
    ),
    Refusal(
        "ec2:CreateRoute ReplaceRoute",
        "InvalidNatGatewayID.NotFound",
        "The natGateway ID '{found}' does not exist",
        _lost("NatGatewayId", "DescribeNatGateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    ),
    Refusal(
        "ec2:CreateRoute ReplaceRoute",
        "InvalidInternetGatewayID.NotFound",
        "The internetGateway ID '{GatewayId}' does not exist",
        lambda c: (
            str(c["GatewayId"]).startswith("igw-")
            and c["GatewayId"] not in c.all("DescribeInternetGateways", "InternetGateways[].InternetGatewayId")
        ),
    ),
    Refusal(
        "ec2:CreateRoute",
        "InvalidParameterValue",
        "The destination CIDR block {DestinationCidrBlock} is equal to or more specific than one of this VPC's CIDR blocks.",
        _within_local,
    ),
    Refusal(
        "ec2:CreateRoute",
        "RouteAlreadyExists",
        "The route identified by {found} already exists.",
        lambda c: _routed(c) and _destination(c.parameters),
    ),
    Refusal(
        "ec2:DeleteRoute ReplaceRoute",
        "InvalidRoute.NotFound",
        "no route with destination-cidr-block {found} in route table {RouteTableId}",
        lambda c: not _routed(c) and _destination(c.parameters),
    ),
    Refusal("ec2:AssociateRouteTable", "InvalidRouteTableID.NotFound", _NO_TABLE, _lost("RouteTableId", *_TABLES)),
    Refusal(
        "ec2:AssociateRouteTable CreateNatGateway CreateNetworkInterface RunInstances",
        "InvalidSubnetID.NotFound",
        _NO_SUBNET,
        _lost("SubnetId", *_SUBNETS),
    ),
    Refusal(
        "ec2:AssociateRouteTable",
        "InvalidParameterValue",
        "Route table {RouteTableId} and subnet {SubnetId} belong to different networks",
        _of_other_network,
    ),
    Refusal(
        "ec2:AssociateRouteTable",
        "Resource.AlreadyAssociated",
        "the specified association for route table {found} conflicts with an existing association",
        _associated,
    ),
    Refusal(
        "ec2:DeleteRouteTable",
        "DependencyViolation",
        "The routeTable '{RouteTableId}' " + _DEPENDENCY,
        lambda c: _table(c, c["RouteTableId"]).get("Associations"),
    ),
    Refusal(
        "ec2:CreateNatGateway",
        "MissingParameter",
        "The request must include the AllocationId parameter. Add the required parameter and retry the request.",
        lambda c: c["ConnectivityType"] != "private" and not c["AllocationId"],
    ),
    Refusal(
        "ec2:CreateNatGateway",
        "InvalidAllocationID.NotFound",
        "The allocation ID '{found}' does not exist",
        _lost("AllocationId", "DescribeAddresses", "Addresses[].AllocationId"),
    ),
    Refusal(
        "ec2:CreateNatGateway",
        "Resource.AlreadyAssociated",
        "Elastic IP address [{AllocationId}] is already associated",
        _in_use_by_address,
    ),
    Refusal(
        "ec2:ReleaseAddress",
        "InvalidIPAddress.InUse",
        "The address with allocation id [{AllocationId}] cannot be released because it is in use.",
        _in_use_by_address,
    ),
    Refusal("ec2:CreateVpcEndpoint", "InvalidSubnetID.NotFound", _NO_SUBNET, _lost("SubnetIds", *_SUBNETS)),
    Refusal("ec2:CreateVpcEndpoint", "InvalidRouteTableId.NotFound", _NO_TABLE, _lost("RouteTableIds", *_TABLES)),
    Refusal("ec2:CreateVpcEndpoint", "InvalidGroup.NotFound", _NO_GROUP, _lost("SecurityGroupIds", *_GROUPS)),
    Refusal(
        "ec2:CreateVpcEndpoint",
        "RouteAlreadyExists",
        "route table already has a route with the prefix list of {ServiceName}",
        _gateway_endpoint_exists,
    ),
    Refusal(
        "ec2:CreateVpcEndpoint",
        "DuplicateSubnetsInSameZone",
        "Found another VPC endpoint subnet in the availability zone.",
        _same_zone,
    ),
    Refusal(
        "ec2:CreateVpcEndpoint",
        "InvalidParameter",
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {VpcId}",
        _private_dns_without_names,
    ),
    Refusal(
        "ec2:CreateVpcEndpoint",
        "InvalidParameter",
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {ServiceName} in the VPC {VpcId}",
        _private_dns_taken,
    ),
    Refusal(
        "ec2:CreateNetworkAclEntry",
        "InvalidParameterValue",
        "Value ({RuleNumber}) for parameter ruleNumber is invalid. Must be between 1 and 32766.",
        lambda c: not 1 <= int(c["RuleNumber"] or 1) <= 32766,
    ),
    Refusal(
        "ec2:CreateNetworkAclEntry",
        "NetworkAclEntryAlreadyExists",
        "The network acl entry identified by {RuleNumber} already exists.",
        _has_entry,
    ),
    Refusal("ec2:CreateNetworkInterface", "InvalidGroup.NotFound", _NO_GROUP, _lost("Groups", *_GROUPS)),
    Refusal("ec2:RunInstances", "InvalidGroup.NotFound", _NO_GROUP, _lost("SecurityGroupIds", *_GROUPS)),
    Refusal(
        "ec2:CreateFlowLogs",
        "InvalidVpcId.NotFound",
        _NO_VPC,
        lambda c: c["ResourceType"] == "VPC" and _lost("ResourceIds", *_VPCS)(c),
    ),
    Refusal(
        "ec2:CreateFlowLogs",
        "FlowLogAlreadyExists",
        "Error. There is an existing Flow Log with the same configuration and log destination: {found}",
        _logged,
    ),
    Refusal(
        "ec2:CreateTags",
        "TagLimitExceeded",
        "The maximum number of tags for this resource has been reached.",
        _too_many_tags,
    ),
)
