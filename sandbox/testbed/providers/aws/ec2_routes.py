"""Route tables, routes, associations with subnets, and VPC endpoints."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import GoneError
from sandbox.testbed.providers.aws.calls import Call
from sandbox.testbed.providers.aws.ec2 import Ec2Resource
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties

_TARGETS = names(
    "gatewayId natGatewayId transitGatewayId vpcPeeringConnectionId networkInterfaceId egressOnlyGatewayId vpcEndpointId"
)
_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")


class Route(Ec2Resource):
    """A route: a destination and a target."""

    sdk_name = "aws:ec2/route:Route"

    def create(self, inputs: Properties) -> Created:
        """The id ends with a hash of the destination, as in the official provider (CRC-32 as a positive number)."""
        self.client.create_route(**self.request(inputs))
        destination = next(str(inputs[name]) for name in _DESTINATIONS if inputs.get(name))
        return Created(f"r-{inputs['routeTableId']}{zlib.crc32(destination.encode())}")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.replace_route(**self.request(inputs))

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        """The route to the destination, if the table has one."""
        if "routeTableId" not in state:
            raise GoneError("the id alone doesn't say which route it is")
        wanted = self.request(state, "DeleteRoute", only=frozenset(_DESTINATIONS))
        for route in super().found(state["routeTableId"], state)["all"]:
            if wanted.items() <= route.items():
                return {**route, "RouteTableId": state["routeTableId"]}
        raise GoneError(f"{state['routeTableId']} has no such route")

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """Report a target as missing if the route no longer has it."""
        return {**dict.fromkeys(_TARGETS & state.keys()), **super().shown_as(identity, answer, state)}


_MEMBERSHIPS = {"routeTableIds": "RouteTableIds", "securityGroupIds": "SecurityGroupIds", "subnetIds": "SubnetIds"}
_OF_THE_OTHER = {
    "Gateway": {"privateDnsEnabled": False, "securityGroupIds": [], "subnetIds": []},
    "Interface": {"routeTableIds": []},
}
"""Properties that a type of endpoint doesn't have, because they belong to the other type."""


class VpcEndpoint(Ec2Resource):
    """A VPC endpoint: an interface endpoint in subnets, or a gateway endpoint in route tables."""

    sdk_name = "aws:ec2/vpcEndpoint:VpcEndpoint"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        kind = inputs.get("vpcEndpointType", "")
        for name in _OF_THE_OTHER.get(kind, ()):
            if inputs.get(name):
                yield name, f"an endpoint of type {kind} has none"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """The API changes route tables, security groups and subnets by lists to add and to remove."""
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
        """A gateway endpoint has the prefix list and CIDR blocks of its service."""
        found = super().shown_as(identity, answer, state) | _OF_THE_OTHER.get(answer["VpcEndpointType"], {})
        found["securityGroupIds"] = [group["GroupId"] for group in answer["Groups"]]
        if answer["VpcEndpointType"] == "Gateway":
            lists = Call("describe_prefix_lists", "prefix-list-name", "PrefixLists[0]")
            addresses = lists(self.client, answer["ServiceName"], {}) or {}
            found |= {"prefixListId": addresses.get("PrefixListId"), "cidrBlocks": addresses.get("Cidrs", [])}
        return found
