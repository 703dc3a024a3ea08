"""VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import VPC, Ec2Resource
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_MEMBERSHIPS = {"routeTableIds": "RouteTableIds", "securityGroupIds": "SecurityGroupIds", "subnetIds": "SubnetIds"}
_OF_THE_OTHER = {
    "Gateway": {"privateDnsEnabled": False, "securityGroupIds": [], "subnetIds": []},
    "Interface": {"routeTableIds": []},
}
"""What an endpoint of a type has none of, because the other type has it."""


class VpcEndpoint(Ec2Resource):
    """A private way to a service: an interface in subnets, or a gateway in route tables."""

    sdk_name = "aws:ec2/vpcEndpoint:VpcEndpoint"
    operation, made = "CreateVpcEndpoint", "VpcEndpoint.VpcEndpointId"
    described: ClassVar = Call(
        "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints[?!contains(['deleted', 'deleting'], State)] | [0]"
    )
    deleted: ClassVar = Call("delete_vpc_endpoints", "VpcEndpointIds")
    goes_slowly = True  # its interfaces keep the subnets busy until it is gone
    available = "contains(['available', 'Available'], State)"
    listing: ClassVar = Listing(
        "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId", VPC, "vpc-id"
    )
    kind = "vpc-endpoint"
    outputs = ("networkInterfaceIds", "ownerId", "requesterManaged", "state")
    shown: ClassVar = {"dnsEntries": "DnsEntries[].{dnsName: DnsName, hostedZoneId: HostedZoneId} || `[]`"}
    renamed: ClassVar = {"policy": "PolicyDocument"}
    defaults: ClassVar = {"vpcEndpointType": "Gateway"}
    in_place: ClassVar = names("policy privateDnsEnabled ipAddressType dnsOptions").union(_MEMBERSHIPS)
    unordered: ClassVar = frozenset(_MEMBERSHIPS)

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        kind = inputs.get("vpcEndpointType", "")
        for name in _OF_THE_OTHER.get(kind, ()):
            if inputs.get(name):
                yield name, f"an endpoint of type {kind} has none"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Memberships are changed by what is added and removed."""
        parameters = self.request(inputs, "ModifyVpcEndpoint", only=changed & self.in_place - _MEMBERSHIPS.keys())
        if "policy" in changed and not inputs.get("policy"):
            parameters["ResetPolicy"] = True
        endpoint = self.describe(identity, inputs) or {}
        for name in changed & _MEMBERSHIPS.keys():
            wanted, current = set(inputs.get(name) or []), set(endpoint.get(name) or [])
            parameters |= {f"Add{_MEMBERSHIPS[name]}": sorted(wanted - current)} if wanted - current else {}
            parameters |= {f"Remove{_MEMBERSHIPS[name]}": sorted(current - wanted)} if current - wanted else {}
        if parameters:
            self.client.modify_vpc_endpoint(VpcEndpointId=identity, **parameters)
            self.wait_for(identity)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """A gateway has the addresses of its service."""
        found = super().shown_as(identity, answer, state) | _OF_THE_OTHER.get(answer["VpcEndpointType"], {})
        if "Groups" in answer:  # the local AWS forgets them: what the state says stands then
            found["securityGroupIds"] = [group["GroupId"] for group in answer["Groups"]]
        if answer["VpcEndpointType"] == "Gateway":
            lists = Call("describe_prefix_lists", "prefix-list-name", "PrefixLists[0]")
            addresses = lists(self.client, answer["ServiceName"], {}) or {}
            found |= {"prefixListId": addresses.get("PrefixListId"), "cidrBlocks": addresses.get("Cidrs", [])}
        return found
