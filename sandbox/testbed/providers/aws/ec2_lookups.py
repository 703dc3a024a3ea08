"""Functions that look up EC2 objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.lookups import Lookup
from sandbox.testbed.providers.resource import Function
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
        """All of them, sorted by name, as awsx asks for them."""
        if arguments:
            raise ValueError("the stand-in lists all zones, without arguments")
        answer = self.backend.client("ec2").describe_availability_zones()
        zones = sorted(answer["AvailabilityZones"], key=lambda zone: zone["ZoneName"])
        region = self.backend.region
        return {
            "id": region,
            "names": [zone["ZoneName"] for zone in zones],
            "zoneIds": [zone["ZoneId"] for zone in zones],
            "groupNames": sorted({zone.get("GroupName", region) for zone in zones}),
            "region": region,
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


class Ec2Lookup(Lookup):
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
