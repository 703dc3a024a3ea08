"""Functions that look up EC2 objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import arn
from sandbox.testbed.providers.aws.calls import Call
from sandbox.testbed.providers.aws.ec2_network import Vpc
from sandbox.testbed.providers.aws.lookups import Lookup
from sandbox.testbed.providers.resource import Function, names
from sandbox.testbed.providers.values import Properties, as_text


def _filters(arguments: Properties, by: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's filters for the arguments; `by` maps arguments to the filters' names."""
    given = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or []]
    tags = {f"tag:{key}": value for key, value in (arguments.get("tags") or {}).items()}
    own = {key: as_text(arguments[name]) for name, key in by.items() if arguments.get(name) is not None}
    return given + [{"Name": key, "Values": [value]} for key, value in {**tags, **own}.items()]


class GetAvailabilityZones(Function[Any]):
    """The region's Availability Zones."""

    sdk_name = "aws:index/getAvailabilityZones:getAvailabilityZones"

    def call(self, arguments: Properties) -> Properties:
        """Sorted by name."""
        everything = {"AllAvailabilityZones": True} if arguments.get("allAvailabilityZones") else {}
        answer = self.backend.client("ec2").describe_availability_zones(
            Filters=_filters(arguments, {"state": "state"}), **everything
        )
        out, ids = set(arguments.get("excludeNames") or []), set(arguments.get("excludeZoneIds") or [])
        kept = [
            zone for zone in answer["AvailabilityZones"] if zone["ZoneName"] not in out and zone["ZoneId"] not in ids
        ]
        kept.sort(key=lambda zone: zone["ZoneName"])
        return {
            **arguments,
            "id": self.backend.region,
            "names": [zone["ZoneName"] for zone in kept],
            "zoneIds": [zone["ZoneId"] for zone in kept],
            "groupNames": sorted({zone.get("GroupName", self.backend.region) for zone in kept}),
            "region": self.backend.region,
        }


class GetRouteTables(Function[Any]):
    """IDs of route tables."""

    sdk_name = "aws:ec2/getRouteTables:getRouteTables"

    def call(self, arguments: Properties) -> Properties:
        """All matches. No match is an empty list, as in the official provider since version 4."""
        answer = self.backend.client("ec2").describe_route_tables(Filters=_filters(arguments, {"vpcId": "vpc-id"}))
        ids = sorted(table["RouteTableId"] for table in answer["RouteTables"])
        region = self.backend.region
        return {"tags": {}, **arguments, "id": region, "ids": ids, "region": region}


class _Ec2Lookup(Lookup):
    """An EC2 object, looked up by id or by filters."""

    operation: ClassVar[str]
    identity: ClassVar[tuple[str, str]]
    """The argument with the id, and the API parameter for it."""
    by: ClassVar[Mapping[str, str]]
    """Other arguments, and the filters that they correspond to."""

    def find(self, arguments: Properties) -> Mapping[str, Any]:
        """Exactly one object must match."""
        argument, parameter = self.identity
        filters = _filters(arguments, self.by)
        parameters: dict[str, Any] = {"Filters": filters} if filters else {}
        if arguments.get(argument):
            parameters[parameter] = [arguments[argument]]
        answer = getattr(self.client, self.operation)(**parameters)
        found = next(value for value in answer.values() if isinstance(value, list))
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects fit {arguments}; exactly one must")
        return found[0]


class GetSubnet(_Ec2Lookup):
    """A subnet."""

    sdk_name = "aws:ec2/getSubnet:getSubnet"
    operation, identity = "describe_subnets", ("id", "SubnetIds")
    by: ClassVar = {
        "availabilityZone": "availability-zone",
        "availabilityZoneId": "availability-zone-id",
        "cidrBlock": "cidr-block",
        "defaultForAz": "default-for-az",
        "state": "state",
        "vpcId": "vpc-id",
    }
    shown: ClassVar = {
        "id": "SubnetId",
        **dict.fromkeys(("ipv6CidrBlock", "ipv6CidrBlockAssociationId", "outpostArn"), "''"),
    }
    built: ClassVar = {"arn": arn("ec2", "subnet/{id}")}


class GetVpc(_Ec2Lookup):
    """A VPC."""

    sdk_name = "aws:ec2/getVpc:getVpc"
    operation, identity = "describe_vpcs", ("id", "VpcIds")
    by: ClassVar = {"cidrBlock": "cidr", "default": "is-default", "dhcpOptionsId": "dhcp-options-id", "state": "state"}
    reads: ClassVar = Vpc.reads[:4]
    shown: ClassVar = {
        "id": "VpcId",
        "default": "IsDefault || `false`",
        "mainRouteTableId": "main || ''",
        "cidrBlockAssociations": """CidrBlockAssociationSet[].{
            associationId: AssociationId || '', cidrBlock: CidrBlock, state: CidrBlockState.State || ''
        } || `[]`""",
        **dict.fromkeys(("ipv6AssociationId", "ipv6CidrBlock"), "''"),
    }
    built: ClassVar = {"arn": arn("ec2", "vpc/{id}")}


_ROUTE = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
}
"""Properties of a route whose names differ in EC2."""
_ROUTES = names(
    "carrierGatewayId cidrBlock coreNetworkArn destinationPrefixListId egressOnlyGatewayId gatewayId instanceId ipv6CidrBlock "
    "localGatewayId natGatewayId networkInterfaceId transitGatewayId vpcEndpointId vpcPeeringConnectionId"
)


def _route(name: str) -> str:
    return f"{name}: {_ROUTE.get(name, name[0].upper() + name[1:])} || ''"


class GetRouteTable(_Ec2Lookup):
    """A route table, looked up by id or by an associated subnet."""

    sdk_name = "aws:ec2/getRouteTable:getRouteTable"
    operation, identity = "describe_route_tables", ("routeTableId", "RouteTableIds")
    by: ClassVar = {"gatewayId": "association.gateway-id", "subnetId": "association.subnet-id", "vpcId": "vpc-id"}
    shown: ClassVar = {
        "id": "RouteTableId",
        "routes": f"Routes[?GatewayId!='local'].{{{', '.join(map(_route, sorted(_ROUTES)))}}}",
        "associations": """Associations[].{
            main: Main || `false`, routeTableAssociationId: RouteTableAssociationId, routeTableId: RouteTableId,
            subnetId: SubnetId || '', gatewayId: GatewayId || ''
        } || `[]`""",
    }
    built: ClassVar = {"arn": arn("ec2", "route-table/{id}")}
    echoed: ClassVar = {"gatewayId": "", "subnetId": ""}


class GetManagedPrefixList(_Ec2Lookup):
    """A managed prefix list, looked up by id or name."""

    sdk_name = "aws:ec2/getManagedPrefixList:getManagedPrefixList"
    operation, identity = "describe_managed_prefix_lists", ("id", "PrefixListIds")
    by: ClassVar = {"name": "prefix-list-name"}
    reads: ClassVar = (Call("get_managed_prefix_list_entries", "PrefixListId", "{Entries: Entries}"),)
    shown: ClassVar = {
        "id": "PrefixListId",
        "name": "PrefixListName",
        "arn": "PrefixListArn || ''",
        "addressFamily": "AddressFamily || 'IPv4'",
        "entries": "Entries[].{cidr: Cidr, description: Description || ''}",
        "ownerId": "OwnerId || ''",
        "maxEntries": "MaxEntries || `0`",
        "version": "Version || `0`",
    }
