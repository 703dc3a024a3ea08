"""The children of `awsx:ec2:Vpc`, with the names and parents of awsx.

They are registered by their type tokens, because importing the SDK's EC2 module takes longer than the rest of
a preview.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

import pulumi

from sandbox.testbed.providers.awsx.layout import (
    TYPES,
    VPC,
    Subnet,
    layout,
)

_EVERYWHERE = "0.0.0.0/0"
_AWS = importlib.metadata.version("pulumi-aws")
"""The version of the program's default provider. The children must use the same default provider."""
_VPC_INPUTS = ("cidrBlock", "enableDnsHostnames", "enableDnsSupport")


class Vpc(pulumi.ComponentResource):
    """A VPC with subnets in several zones, an internet gateway, and a NAT gateway for the private subnets."""

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(VPC, name, None, options, remote=False)
        self._name = name
        self._tags: Mapping[str, Any] = inputs.get("tags") or {}
        zones = self._zones(int(inputs["numberOfAvailabilityZones"]))
        plan = layout(name, inputs["cidrBlock"], zones, [spec["type"] for spec in inputs.get("subnetSpecs") or ()])

        shared = {"Name": name, **self._tags}
        given = {key: inputs[key] for key in _VPC_INPUTS if key in inputs}
        vpc = pulumi.CustomResource(
            "aws:ec2/vpc:Vpc",
            name,
            {"tags": shared, **given},
            pulumi.ResourceOptions(parent=self, version=_AWS),
        )
        self._vpc = vpc
        self._gateway = _child("internetGateway", name, vpc, {"vpcId": vpc.id, "tags": shared})
        self._made: dict[str, list[pulumi.CustomResource]] = {
            kind: [] for kind in ("subnet", "routeTable", "routeTableAssociation", "route", "natGateway", "eip")
        }
        self._subnets: dict[str, list[pulumi.CustomResource]] = {kind: [] for kind in (*TYPES, "Isolated")}
        for zone in zones:
            # Public subnets first: the routes of the private subnets depend on the NAT gateway in a public subnet.
            for planned in sorted((s for s in plan if s.zone == zone), key=lambda s: TYPES.index(s.type)):
                self._subnets[planned.type].append(self._subnet(planned, shared))

        self.outputs: dict[str, Any] = {
            "vpc": vpc,
            "vpcId": vpc.id,
            "internetGateway": self._gateway,
            "subnets": self._made["subnet"],
            "routeTables": self._made["routeTable"],
            "routeTableAssociations": self._made["routeTableAssociation"],
            "routes": self._made["route"],
            "natGateways": self._made["natGateway"],
            "eips": self._made["eip"],
            "vpcEndpoints": [],
            "subnetLayout": [
                {"type": s.type, "cidrMask": int(s.cidr_block.rpartition("/")[2])} for s in plan if s.zone == zones[0]
            ],
        }
        for kind, subnets in self._subnets.items():
            self.outputs[f"{kind.lower()}Subnets"] = subnets
            self.outputs[f"{kind.lower()}SubnetIds"] = [subnet.id for subnet in subnets]
        self.register_outputs(self.outputs)

    def _zones(self, count: int) -> list[str]:
        token = "aws:index/getAvailabilityZones:getAvailabilityZones"  # noqa: S105  (a function's name)
        options = pulumi.InvokeOptions(parent=self, version=_AWS)
        names: list[str] = (pulumi.runtime.invoke(token, {}, options).value or {})["names"]
        if len(names) < count:
            raise ValueError(f"{VPC}: numberOfAvailabilityZones: {count} are asked for, the region has {len(names)}")
        return names[:count]

    def _subnet(self, planned: Subnet, shared: Mapping[str, Any]) -> pulumi.CustomResource:
        name = planned.name
        own = {"Name": name, "SubnetType": planned.type}
        place = {"availabilityZone": planned.zone, "cidrBlock": planned.cidr_block}
        public = {"mapPublicIpOnLaunch": planned.type == "Public", "assignIpv6AddressOnCreation": False}
        inputs = {"vpcId": self._vpc.id, **place, **public, "tags": {**shared, **own}}
        subnet = self._make("subnet", name, self._vpc, inputs)
        table = self._make("routeTable", name, subnet, {"vpcId": self._vpc.id, "tags": {**shared, **own}})
        self._make("routeTableAssociation", name, table, {"routeTableId": table.id, "subnetId": subnet.id})
        if planned.type == "Public":
            if not self._made["natGateway"]:
                self._nat_gateway(f"{self._name}-1", subnet)
            self._route(name, table, {"gatewayId": self._gateway.id})
        else:
            self._route(name, table, {"natGatewayId": self._made["natGateway"][0].id})
        return subnet

    def _nat_gateway(self, name: str, subnet: pulumi.CustomResource) -> None:
        tags = {**self._tags, "Name": name}
        eip = self._make("eip", name, subnet, {"tags": tags})
        # The id of an Elastic IP address is its allocation ID.
        self._make("natGateway", name, subnet, {"subnetId": subnet.id, "allocationId": eip.id, "tags": tags})

    def _route(self, name: str, table: pulumi.CustomResource, target: Mapping[str, pulumi.Output[str]]) -> None:
        self._make("route", name, table, {"routeTableId": table.id, "destinationCidrBlock": _EVERYWHERE, **target})

    def _make(
        self, kind: str, name: str, parent: pulumi.CustomResource, inputs: Mapping[str, Any]
    ) -> pulumi.CustomResource:
        self._made[kind].append(_child(kind, name, parent, inputs))
        return self._made[kind][-1]


def _child(kind: str, name: str, parent: pulumi.CustomResource, inputs: Mapping[str, Any]) -> pulumi.CustomResource:
    """A child resource of EC2 that depends on its parent."""
    options = pulumi.ResourceOptions(parent=parent, depends_on=[parent], version=_AWS)
    return pulumi.CustomResource(f"aws:ec2/{kind}:{kind[0].upper()}{kind[1:]}", name, dict(inputs), options)
