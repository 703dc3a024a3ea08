"""Route tables and what is in them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import only
from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing, in_vpc
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "transitGatewayId": "TransitGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
    "networkInterfaceId": "NetworkInterfaceId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "vpcEndpointId": "VpcEndpointId",
}
_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}


class RouteTable(Ec2Resource):
    """A route table; its routes are resources of their own."""

    sdk_name = "aws:ec2/routeTable:RouteTable"
    operation, made = "CreateRouteTable", "RouteTable.RouteTableId"
    described: ClassVar = Call("describe_route_tables", "RouteTableIds", "RouteTables[0]")
    deleted: ClassVar = Call("delete_route_table", "RouteTableId")
    listing: ClassVar = Listing(
        "describe_route_tables",
        "RouteTables[?!not_null(Associations[?Main]|[0])].RouteTableId",
        "aws:ec2/vpc:Vpc",
        in_vpc,
    )
    kind = "route-table"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Without its routes, which belong to other resources."""
        found = self.common(self.found(identity), identity, "ownerId")
        found.pop("routes", None)
        return found


class Route(Ec2Resource):
    """One route of a table: a destination and a target."""

    sdk_name = "aws:ec2/route:Route"
    operation = "CreateRoute"
    kind = "route"
    renamed: ClassVar = {
        "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
        "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    }
    in_place: ClassVar = frozenset(_TARGETS)
    delete_first = True

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        for names in (_TARGETS, _DESTINATIONS):
            given = sorted(names.keys() & inputs.keys())
            if len(given) > 1:
                yield given[1], f"only one of {', '.join(given)} may be given"

    def create(self, inputs: Properties) -> Created:
        self.client.create_route(**self.request(inputs))
        destination = next(str(inputs[name]) for name in _DESTINATIONS if inputs.get(name))
        return Created(f"r-{inputs['routeTableId']}{_checksum(destination)}")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.replace_route(**self.request(inputs))

    def _route(self, state: Properties) -> Mapping[str, Any] | None:
        table = only(self.client.describe_route_tables(RouteTableIds=[state["routeTableId"]])["RouteTables"])
        wanted = {api: state[name] for name, api in _DESTINATIONS.items() if state.get(name)}
        return next(
            (route for route in table["Routes"] if all(route.get(key) == value for key, value in wanted.items())), None
        )

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The route for the destination, if the table has one."""
        if "routeTableId" not in state:
            return None
        route = self._route(state)
        if route is None:
            return None
        found = {name: route.get(api) for name, api in {**_TARGETS, **_DESTINATIONS}.items() if route.get(api)}
        missing = {name: None for name in _TARGETS if state.get(name) and name not in found}
        more = {"state": route.get("State"), "origin": route.get("Origin"), "routeTableId": state["routeTableId"]}
        return {**found, **missing, **more}

    def remove(self, identity: str, state: Properties) -> None:
        destination = {api: state[name] for name, api in _DESTINATIONS.items() if state.get(name)}
        self.client.delete_route(RouteTableId=state["routeTableId"], **destination)


class RouteTableAssociation(Ec2Resource):
    """A subnet's use of a route table."""

    sdk_name = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    operation, made = "AssociateRouteTable", "AssociationId"
    deleted: ClassVar = Call("disassociate_route_table", "AssociationId")
    kind = "association"
    delete_first = True

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Found through the table that has it."""
        by_association = [{"Name": "association.route-table-association-id", "Values": [identity]}]
        for table in self.client.describe_route_tables(Filters=by_association)["RouteTables"]:
            for association in table.get("Associations", []):
                if association["RouteTableAssociationId"] == identity:
                    return self.properties(association)
        return None


def _checksum(text: str) -> int:
    """The hash that the official provider's route ids end in (CRC-32, as a positive number)."""
    return zlib.crc32(text.encode())
