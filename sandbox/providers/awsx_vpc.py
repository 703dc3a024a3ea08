"""The children of `awsx:ec2:Vpc`, with the names and parents that awsx gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from sandbox.providers.awsx import _TYPES, VPC, Subnet, layout

_DEFAULT_CIDR = "10.0.0.0/16"
_DEFAULT_ZONES = 3
_EVERYWHERE = "0.0.0.0/0"


class Vpc(pulumi.ComponentResource):
    """A VPC with subnets in several zones, an internet gateway, and NAT gateways for private subnets."""

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(VPC, name, None, options, remote=False)
        self._name = name
        self._tags: Mapping[str, Any] = inputs.get("tags") or {}
        self._strategy: str = (inputs.get("natGateways") or {}).get("strategy", "OnePerAz")
        cidr_block = inputs.get("cidrBlock") or _DEFAULT_CIDR
        zones = inputs.get("availabilityZoneNames") or self._zones(
            int(inputs.get("numberOfAvailabilityZones") or _DEFAULT_ZONES)
        )
        plan = layout(name, cidr_block, zones, inputs.get("subnetSpecs"))

        shared = {"Name": name, **self._tags}
        self._vpc = aws.ec2.Vpc(
            name,
            cidr_block=cidr_block,
            enable_dns_hostnames=inputs.get("enableDnsHostnames"),
            enable_dns_support=inputs.get("enableDnsSupport"),
            enable_network_address_usage_metrics=inputs.get("enableNetworkAddressUsageMetrics"),
            instance_tenancy=inputs.get("instanceTenancy"),
            tags=shared,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._gateway = aws.ec2.InternetGateway(name, vpc_id=self._vpc.id, tags=shared, opts=_below(self._vpc))
        self._subnets: list[aws.ec2.Subnet] = []
        self._tables: list[aws.ec2.RouteTable] = []
        self._associations: list[aws.ec2.RouteTableAssociation] = []
        self._routes: list[aws.ec2.Route] = []
        self._eips: list[aws.ec2.Eip] = []
        self._nats: list[aws.ec2.NatGateway] = []
        ids: dict[str, list[pulumi.Output[str]]] = {kind: [] for kind in _TYPES}
        for index, zone in enumerate(zones):
            # Public subnets come first: the private ones' routes go through their NAT gateways.
            for planned in sorted((s for s in plan if s.zone == zone), key=lambda s: _TYPES.index(s.type)):
                ids[planned.type].append(self._subnet(planned, index, shared).id)

        self.outputs: dict[str, Any] = {
            "vpc": self._vpc,
            "vpcId": self._vpc.id,
            "internetGateway": self._gateway,
            "subnets": self._subnets,
            "publicSubnetIds": ids["Public"],
            "privateSubnetIds": ids["Private"],
            "isolatedSubnetIds": ids["Isolated"],
            "publicSubnets": self._of_type(plan, "Public"),
            "privateSubnets": self._of_type(plan, "Private"),
            "isolatedSubnets": self._of_type(plan, "Isolated"),
            "routeTables": self._tables,
            "routeTableAssociations": self._associations,
            "routes": self._routes,
            "natGateways": self._nats,
            "eips": self._eips,
            "vpcEndpoints": [],
            "subnetLayout": [
                {"type": s.type, "cidrMask": int(s.cidr_block.rpartition("/")[2])} for s in plan if s.zone == zones[0]
            ],
        }
        self.register_outputs(self.outputs)

    def _zones(self, count: int) -> list[str]:
        names = aws.get_availability_zones(opts=pulumi.InvokeOptions(parent=self)).names
        if len(names) < count:
            raise ValueError(f"{VPC}: numberOfAvailabilityZones: {count} are asked for, the region has {len(names)}")
        return list(names[:count])

    def _of_type(self, plan: list[Subnet], kind: str) -> list[aws.ec2.Subnet]:
        names = {planned.name for planned in plan if planned.type == kind}
        return [subnet for subnet in self._subnets if subnet._name in names]

    def _subnet(self, planned: Subnet, index: int, shared: Mapping[str, Any]) -> aws.ec2.Subnet:
        name = planned.name
        tags = {**shared, "Name": name, "SubnetType": planned.type}
        subnet = aws.ec2.Subnet(
            name,
            vpc_id=self._vpc.id,
            availability_zone=planned.zone,
            map_public_ip_on_launch=planned.type == "Public",
            cidr_block=planned.cidr_block,
            tags={**shared, **planned.tags, "Name": name, "SubnetType": planned.type},
            opts=_below(self._vpc),
        )
        table = aws.ec2.RouteTable(name, vpc_id=self._vpc.id, tags=tags, opts=_below(subnet))
        self._subnets.append(subnet)
        self._tables.append(table)
        self._associations.append(
            aws.ec2.RouteTableAssociation(name, route_table_id=table.id, subnet_id=subnet.id, opts=_below(table))
        )
        if planned.type == "Public":
            if self._strategy == "OnePerAz" or (self._strategy == "Single" and not self._nats):
                self._nat_gateway(f"{self._name}-{index + 1}", subnet)
            self._route(name, table, {"gateway_id": self._gateway.id})
        elif planned.type == "Private" and self._strategy != "None":
            nat = self._nats[0 if self._strategy == "Single" else index]
            self._route(name, table, {"nat_gateway_id": nat.id})
        return subnet

    def _nat_gateway(self, name: str, subnet: aws.ec2.Subnet) -> None:
        tags = {**self._tags, "Name": name}
        eip = aws.ec2.Eip(name, tags=tags, opts=_below(subnet))
        nat = aws.ec2.NatGateway(
            name, subnet_id=subnet.id, allocation_id=eip.allocation_id, tags=tags, opts=_below(subnet)
        )
        self._eips.append(eip)
        self._nats.append(nat)

    def _route(self, name: str, table: aws.ec2.RouteTable, target: Mapping[str, pulumi.Output[str]]) -> None:
        self._routes.append(
            aws.ec2.Route(
                name,
                route_table_id=table.id,
                destination_cidr_block=_EVERYWHERE,
                gateway_id=target.get("gateway_id"),
                nat_gateway_id=target.get("nat_gateway_id"),
                opts=_below(table),
            )
        )


def _below(parent: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=parent, depends_on=[parent])
