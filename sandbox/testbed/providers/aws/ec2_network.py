"""VPCs, subnets, internet and NAT gateways, Elastic IP addresses, flow logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.aws.ec2 import Ec2Resource
from sandbox.testbed.providers.values import Properties


class InternetGateway(Ec2Resource):
    """The internet gateway of a VPC."""

    sdk_name = "aws:ec2/internetGateway:InternetGateway"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Attach the gateway to the VPC in the inputs, and detach it from any other VPC."""
        attached = self._detach(identity, inputs.get("vpcId"))
        if inputs.get("vpcId") and attached != inputs["vpcId"]:
            self.client.attach_internet_gateway(InternetGatewayId=identity, VpcId=inputs["vpcId"])

    def _detach(self, identity: str, unless: str | None = None) -> str | None:
        """The VPC that the gateway is attached to. Detaches it, unless the VPC is `unless`."""
        attached = (self.describe(identity, {}) or {})["vpcId"]
        if attached and attached != unless:
            self.when_unused(lambda: self.client.detach_internet_gateway(InternetGatewayId=identity, VpcId=attached))
        return attached

    def remove(self, identity: str, state: Properties) -> None:
        self._detach(identity)
        super().remove(identity, state)


class Eip(Ec2Resource):
    """An Elastic IP address."""

    sdk_name = "aws:ec2/eip:Eip"

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        name = f"ec2-{answer['PublicIp'].replace('.', '-')}.{self.backend.region}.compute.amazonaws.com"
        return {**super().shown_as(identity, answer, state), "publicDns": name}


class NatGateway(Ec2Resource):
    """A NAT gateway for private subnets. EC2 still describes a deleted one for about an hour."""

    sdk_name = "aws:ec2/natGateway:NatGateway"

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        gateway = super().found(identity, state)
        if gateway["State"] == "failed":
            raise RuntimeError(f"{identity} failed: {gateway.get('FailureMessage', 'no reason given')}")
        addresses = gateway.get("NatGatewayAddresses")
        return gateway | addresses[0] if addresses else gateway


class FlowLog(Ec2Resource):
    """A flow log of a VPC."""

    sdk_name = "aws:ec2/flowLog:FlowLog"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**super().parameters(inputs), "ResourceIds": [inputs["vpcId"]], "ResourceType": "VPC"}
