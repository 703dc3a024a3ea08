"""The address ranges that a stack itself has: its VPCs and subnets, and its Elastic IP addresses and NAT gateways."""

from ipaddress import IPv4Network
from typing import Final

from evaluation.aws.networks import Network, RangeSet, parse_network
from evaluation.resources import Resource, Stack
from evaluation.values import each_at

_RANGES: Final = (
    ("ec2/vpc", "cidrBlock"),
    ("ec2/vpc", "ipv6CidrBlock"),
    ("ec2/defaultVpc", "cidrBlock"),
    ("ec2/defaultVpc", "ipv6CidrBlock"),
    ("ec2/vpcIpv4CidrBlockAssociation", "cidrBlock"),
    ("ec2/vpcIpv6CidrBlockAssociation", "ipv6CidrBlock"),
    ("ec2/subnet", "cidrBlock"),
    ("ec2/subnet", "ipv6CidrBlock"),
    ("ec2/defaultSubnet", "cidrBlock"),
    ("ec2/eip", "publicIp"),
    ("ec2/natGateway", "publicIp"),
)
_TYPES: Final = tuple(dict.fromkeys(canonical for canonical, _ in _RANGES))
# AWS accepts VPCs of /16 to /28, and of /44 or longer in IPv6. A shorter range is an error of the author, not a VPC.
_WIDEST: Final = {4: 16, 6: 44}


class StackRanges:
    """The ranges of a stack, collected once."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        found: list[Network] = []
        for canonical, path in _RANGES:
            for resource in stack.of(canonical):
                for value in each_at(resource.properties, path):
                    network = parse_network(value)
                    if (
                        network is not None
                        and network.prefixlen >= _WIDEST[4 if isinstance(network, IPv4Network) else 6]
                    ):
                        found.append(network)
        self.ranges = RangeSet(found)

    def named_by(self, resource: Resource, name: str) -> bool:
        """Whether an unknown value of a top-level property can only come from VPCs, subnets or addresses of the stack."""
        recorded = getattr(resource.source, "property_dependencies", {}).get(name, ())
        return bool(recorded) and all(self._stack.type_of(target.urn) in _TYPES for target in recorded)
