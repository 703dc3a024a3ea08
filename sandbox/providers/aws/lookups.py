"""Functions that look at the account and at EC2."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import SCHEMAS
from sandbox.providers.aws.calls import mapped
from sandbox.providers.aws.mapping import from_api
from sandbox.providers.resource import Function
from sandbox.providers.schema import Shape
from sandbox.providers.values import Properties, as_text


class GetRegion(Function[Any]):
    """The provider's region."""

    sdk_name = "aws:index/getRegion:getRegion"

    def call(self, arguments: Properties) -> Properties:
        name = self.backend.region
        shown = {"id": name, "name": name, "region": name, "endpoint": f"ec2.{name}.amazonaws.com"}
        return {**shown, "description": name}


class GetPartition(Function[Any]):
    """The region's partition."""

    sdk_name = "aws:index/getPartition:getPartition"

    def call(self, arguments: Properties) -> Properties:
        partition = self.backend.partition
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        return {
            "id": partition,
            "partition": partition,
            "dnsSuffix": suffix,
            "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
        }


class GetCallerIdentity(Function[Any]):
    """Who the provider is."""

    sdk_name = "aws:index/getCallerIdentity:getCallerIdentity"

    def call(self, arguments: Properties) -> Properties:
        answer = self.backend.client("sts").get_caller_identity()
        return {
            "id": answer["Account"],
            "accountId": answer["Account"],
            "arn": answer["Arn"],
            "userId": answer["UserId"],
        }


class GetAvailabilityZones(Function[Any]):
    """The region's zones."""

    sdk_name = "aws:index/getAvailabilityZones:getAvailabilityZones"

    def call(self, arguments: Properties) -> Properties:
        """In the order of their names."""
        filters = _filters(arguments)
        if arguments.get("state"):
            filters.append({"Name": "state", "Values": [arguments["state"]]})
        everything = {"AllAvailabilityZones": True} if arguments.get("allAvailabilityZones") else {}
        zones = self.backend.client("ec2").describe_availability_zones(Filters=filters, **everything)[
            "AvailabilityZones"
        ]
        names, ids = set(arguments.get("excludeNames") or []), set(arguments.get("excludeZoneIds") or [])
        kept = sorted(
            (zone for zone in zones if zone["ZoneName"] not in names and zone["ZoneId"] not in ids),
            key=lambda zone: zone["ZoneName"],
        )
        return {
            "id": self.backend.region,
            "names": [zone["ZoneName"] for zone in kept],
            "zoneIds": [zone["ZoneId"] for zone in kept],
            "groupNames": sorted({zone.get("GroupName", self.backend.region) for zone in kept}),
            "region": self.backend.region,
            **{name: arguments[name] for name in _ZONE_ARGUMENTS if name in arguments},
        }


_ZONE_ARGUMENTS = ("allAvailabilityZones", "excludeNames", "excludeZoneIds", "filters", "state")


def _filters(arguments: Properties) -> list[dict[str, Any]]:
    given = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or []]
    return given + [{"Name": f"tag:{key}", "Values": [value]} for key, value in (arguments.get("tags") or {}).items()]


class _Lookup(Function[Any]):
    """One EC2 object, found by its id or by filters."""

    operation: ClassVar[str]
    answer: ClassVar[str]
    identity: ClassVar[tuple[str, str]]
    """The argument that holds the id, and the parameter that takes it."""
    by: ClassVar[Mapping[str, str]]
    """Other arguments, and the filters that they are."""

    def call(self, arguments: Properties) -> Properties:
        """Exactly one must fit."""
        argument, parameter = self.identity
        filters = _filters(arguments)
        for name, key in self.by.items():
            if arguments.get(name) is not None:
                filters.append({"Name": key, "Values": [as_text(arguments[name])]})
        parameters: dict[str, Any] = {"Filters": filters} if filters else {}
        if arguments.get(argument):
            parameters[parameter] = [arguments[argument]]
        found = getattr(self.backend.client("ec2"), self.operation)(**parameters)[self.answer]
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects fit {arguments}; exactly one must")
        return self.result(found[0], arguments)

    @abc.abstractmethod
    def result(self, found: Mapping[str, Any], arguments: Properties) -> Properties:
        """The SDK's result for what was found."""

    def named(self, found: Mapping[str, Any]) -> Properties:
        """What EC2 says, by the names of the result."""
        shape = Shape("object", properties={name: Shape("any") for name in SCHEMAS[self.sdk_name].outputs})
        result = from_api(found, shape, {})
        result.pop("filters", None)
        return {**result, "tags": mapped(found.get("Tags")), "region": self.backend.region}


class GetSubnet(_Lookup):
    """A subnet."""

    sdk_name = "aws:ec2/getSubnet:getSubnet"
    operation, answer, identity = "describe_subnets", "Subnets", ("id", "SubnetIds")
    by: ClassVar = {
        "availabilityZone": "availability-zone",
        "availabilityZoneId": "availability-zone-id",
        "cidrBlock": "cidr-block",
        "defaultForAz": "default-for-az",
        "state": "state",
        "vpcId": "vpc-id",
    }

    def result(self, found: Mapping[str, Any], arguments: Properties) -> Properties:
        identity = found["SubnetId"]
        arn = self.backend.arn("ec2", f"subnet/{identity}")
        defaults = {"ipv6CidrBlock": "", "ipv6CidrBlockAssociationId": "", "outpostArn": ""}
        return {**defaults, **self.named(found), "id": identity, "arn": arn}


class GetVpc(_Lookup):
    """A VPC."""

    sdk_name = "aws:ec2/getVpc:getVpc"
    operation, answer, identity = "describe_vpcs", "Vpcs", ("id", "VpcIds")
    by: ClassVar = {"cidrBlock": "cidr", "default": "is-default", "dhcpOptionsId": "dhcp-options-id", "state": "state"}

    def result(self, found: Mapping[str, Any], arguments: Properties) -> Properties:
        client, identity = self.backend.client("ec2"), found["VpcId"]
        result = {**self.named(found), "id": identity, "arn": self.backend.arn("ec2", f"vpc/{identity}")}
        result["default"] = found.get("IsDefault", False)
        for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
            answer = client.describe_vpc_attribute(VpcId=identity, Attribute=name)
            result[name] = answer.get(name[0].upper() + name[1:], {}).get("Value", False)
        filters = [{"Name": "vpc-id", "Values": [identity]}, {"Name": "association.main", "Values": ["true"]}]
        tables = client.describe_route_tables(Filters=filters)["RouteTables"]
        result["mainRouteTableId"] = tables[0]["RouteTableId"] if tables else ""
        result["cidrBlockAssociations"] = [
            {
                "associationId": item.get("AssociationId", ""),
                "cidrBlock": item["CidrBlock"],
                "state": item.get("CidrBlockState", {}).get("State", ""),
            }
            for item in found.get("CidrBlockAssociationSet", [])
        ]
        return {"ipv6AssociationId": "", "ipv6CidrBlock": "", **result}


class GetRouteTable(_Lookup):
    """A route table, by its own id or by a subnet that uses it."""

    sdk_name = "aws:ec2/getRouteTable:getRouteTable"
    operation, answer, identity = "describe_route_tables", "RouteTables", ("routeTableId", "RouteTableIds")
    by: ClassVar = {
        "gatewayId": "association.gateway-id",
        "subnetId": "association.subnet-id",
        "vpcId": "vpc-id",
    }

    def result(self, found: Mapping[str, Any], arguments: Properties) -> Properties:
        identity = found["RouteTableId"]
        result = self.named({key: value for key, value in found.items() if key not in ("Routes", "Associations")})
        result |= {"id": identity, "arn": self.backend.arn("ec2", f"route-table/{identity}")}
        result |= {name: arguments.get(name, "") for name in ("gatewayId", "subnetId")}
        result["routes"] = [_route(route) for route in found.get("Routes", []) if route.get("GatewayId") != "local"]
        result["associations"] = [
            {
                "main": item.get("Main", False),
                "routeTableAssociationId": item["RouteTableAssociationId"],
                "routeTableId": identity,
                "subnetId": item.get("SubnetId", ""),
                "gatewayId": item.get("GatewayId", ""),
            }
            for item in found.get("Associations", [])
        ]
        return result


_ROUTE = {
    "carrierGatewayId": "CarrierGatewayId",
    "cidrBlock": "DestinationCidrBlock",
    "coreNetworkArn": "CoreNetworkArn",
    "destinationPrefixListId": "DestinationPrefixListId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "gatewayId": "GatewayId",
    "instanceId": "InstanceId",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "localGatewayId": "LocalGatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "transitGatewayId": "TransitGatewayId",
    "vpcEndpointId": "VpcEndpointId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}


def _route(route: Mapping[str, Any]) -> Properties:
    return {name: route.get(key, "") for name, key in _ROUTE.items()}


class GetRouteTables(Function[Any]):
    """Ids of route tables."""

    sdk_name = "aws:ec2/getRouteTables:getRouteTables"

    def call(self, arguments: Properties) -> Properties:
        """All that fit, which may be none: since its version 4 the official provider has an empty list for that."""
        filters = _filters(arguments)
        if arguments.get("vpcId"):
            filters.append({"Name": "vpc-id", "Values": [arguments["vpcId"]]})
        tables = self.backend.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
        ids = sorted(table["RouteTableId"] for table in tables)
        given = {name: arguments[name] for name in ("filters", "vpcId") if name in arguments}
        region = self.backend.region
        return {"id": region, "ids": ids, "region": region, "tags": arguments.get("tags") or {}, **given}


class GetManagedPrefixList(Function[Any]):
    """A managed prefix list by id or name."""

    sdk_name = "aws:ec2/getManagedPrefixList:getManagedPrefixList"

    def call(self, arguments: Properties) -> Properties:
        client = self.backend.client("ec2")
        filters = _filters(arguments)
        if arguments.get("name"):
            filters.append({"Name": "prefix-list-name", "Values": [arguments["name"]]})
        chosen = {"PrefixListIds": [arguments["id"]]} if arguments.get("id") else {}
        found = client.describe_managed_prefix_lists(Filters=filters, **chosen)["PrefixLists"]
        if len(found) != 1:
            raise LookupError(f"{len(found)} prefix lists fit {arguments}; exactly one must")
        prefix_list = found[0]
        identity = prefix_list["PrefixListId"]
        entries = client.get_managed_prefix_list_entries(PrefixListId=identity)["Entries"]
        return {
            "id": identity,
            "name": prefix_list["PrefixListName"],
            "arn": prefix_list.get("PrefixListArn", ""),
            "addressFamily": prefix_list.get("AddressFamily", "IPv4"),
            "ownerId": prefix_list.get("OwnerId", ""),
            "maxEntries": prefix_list.get("MaxEntries", 0),
            "version": prefix_list.get("Version", 0),
            "entries": [{"cidr": e["Cidr"], "description": e.get("Description", "")} for e in entries],
            "tags": mapped(prefix_list.get("Tags")),
            "region": self.backend.region,
        }
