"""VPCs, subnets, internet and NAT gateways, Elastic IP addresses, flow logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.calls import Call, Change
from sandbox.testbed.providers.aws.ec2 import VPC, Ec2Resource
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties

_IPV6 = "Ipv6CidrBlockAssociationSet[0]"
"""Without IPv6 the values are empty strings: awsx reads them and treats a missing value as unknown."""


def attribute(name: str) -> Call:
    """The call that reads an attribute of a VPC."""
    path = f"{{{name}: {name[0].upper()}{name[1:]}.Value}}"
    return Call("describe_vpc_attribute", "VpcId", path, {"Attribute": name})


class Vpc(Ec2Resource):
    """A VPC with its default security group, network ACL and main route table."""

    sdk_name = VPC
    operation, made = "CreateVpc", "Vpc.VpcId"
    described: ClassVar = Call("describe_vpcs", "VpcIds", "Vpcs[0]")
    reads: ClassVar = (
        *map(attribute, ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")),
        Call("describe_route_tables", "vpc-id", "{main: RouteTables[?Associations[?Main]] | [0].RouteTableId}"),
        Call("describe_security_groups", "vpc-id", "{group: SecurityGroups[?GroupName=='default'] | [0].GroupId}"),
        Call("describe_network_acls", "vpc-id", "{acl: NetworkAcls[?IsDefault] | [0].NetworkAclId}"),
    )
    deleted: ClassVar = Call("delete_vpc", "VpcId")
    listing: ClassVar = Listing("describe_vpcs", "Vpcs[?!IsDefault].VpcId")
    kind = "vpc"
    renamed: ClassVar = {"assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock", "ipv6IpamPoolId": "-"}
    defaults: ClassVar = {"assignGeneratedIpv6CidrBlock": False, "enableDnsSupport": True, "instanceTenancy": "default"}
    updates: ClassVar = (  # EnableDnsHostnames requires DNS support, and EC2 accepts one attribute per call
        Change("modify_vpc_attribute", names("enableDnsSupport"), new=True),
        Change("modify_vpc_attribute", names("enableDnsHostnames"), new=True),
        Change("modify_vpc_attribute", names("enableNetworkAddressUsageMetrics"), new=True),
    )
    outputs = ("dhcpOptionsId", "ownerId")
    shown: ClassVar = {
        "mainRouteTableId": "main",
        "defaultRouteTableId": "main",
        "defaultSecurityGroupId": "group",
        "defaultNetworkAclId": "acl",
        "assignGeneratedIpv6CidrBlock": f"{_IPV6} | Ipv6CidrBlock && !Ipv6Pool || `false`",
        "ipv6AssociationId": f"{_IPV6}.AssociationId || ''",
        "ipv6CidrBlock": f"{_IPV6}.Ipv6CidrBlock || ''",
        "ipv6CidrBlockNetworkBorderGroup": f"{_IPV6}.NetworkBorderGroup || ''",
    }


class Subnet(Ec2Resource):
    """A subnet of a VPC in one Availability Zone. IPv6 attributes aren't supported: each would need a separate call."""

    sdk_name = "aws:ec2/subnet:Subnet"
    operation, made = "CreateSubnet", "Subnet.SubnetId"
    described: ClassVar = Call("describe_subnets", "SubnetIds", "Subnets[0]")
    deleted: ClassVar = Call("delete_subnet", "SubnetId")
    subject = "SubnetId"
    outputs = ("ownerId", "availabilityZone", "availabilityZoneId")
    listing: ClassVar = Listing("describe_subnets", "Subnets[].SubnetId", VPC, "vpc-id")
    kind = "subnet"
    handled: ClassVar = names(
        "assignIpv6AddressOnCreation enableDns64 enableResourceNameDnsARecordOnLaunch "
        "enableResourceNameDnsAaaaRecordOnLaunch"
    )
    choices: ClassVar = dict.fromkeys(sorted(handled), (False,))
    defaults: ClassVar = dict.fromkeys([*sorted(handled), "ipv6Native", "mapPublicIpOnLaunch"], False)
    updates: ClassVar = (Change("modify_subnet_attribute", names("mapPublicIpOnLaunch"), new=True),)
    in_place: ClassVar = handled


class InternetGateway(Ec2Resource):
    """The internet gateway of a VPC."""

    sdk_name = "aws:ec2/internetGateway:InternetGateway"
    operation, made = "CreateInternetGateway", "InternetGateway.InternetGatewayId"
    described: ClassVar = Call("describe_internet_gateways", "InternetGatewayIds", "InternetGateways[0]")
    deleted: ClassVar = Call("delete_internet_gateway", "InternetGatewayId")
    listing: ClassVar = Listing(
        "describe_internet_gateways", "InternetGateways[].InternetGatewayId", VPC, "attachment.vpc-id"
    )
    kind = "internet-gateway"
    outputs = ("ownerId",)
    shown: ClassVar = {"vpcId": "Attachments[0].VpcId"}
    handled: ClassVar = names("vpcId")
    in_place: ClassVar = handled

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
    operation, made = "AllocateAddress", "AllocationId"
    described: ClassVar = Call("describe_addresses", "AllocationIds", "Addresses[0]")
    deleted: ClassVar = Call("release_address", "AllocationId")
    outputs = ("allocationId", "associationId", "publicIp", "networkInterfaceId", "domain")
    listing: ClassVar = Listing("describe_addresses", "Addresses[].AllocationId")
    renamed: ClassVar = {"customerOwnedIpv4Pool": "-"}
    kind = "elastic-ip"

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        name = f"ec2-{answer['PublicIp'].replace('.', '-')}.{self.backend.region}.compute.amazonaws.com"
        return {**super().shown_as(identity, answer, state), "publicDns": name}


class NatGateway(Ec2Resource):
    """A NAT gateway for private subnets. EC2 still describes a deleted one for about an hour."""

    sdk_name = "aws:ec2/natGateway:NatGateway"
    operation, made = "CreateNatGateway", "NatGateway.NatGatewayId"
    described: ClassVar = Call(
        "describe_nat_gateways", "NatGatewayIds", "NatGateways[?!contains(['deleted', 'deleting'], State)] | [0]"
    )
    deleted: ClassVar = Call("delete_nat_gateway", "NatGatewayId")
    goes_slowly = True  # its Elastic IP address can be released only after the deletion has completed
    available = "State == 'available'"
    listing: ClassVar = Listing("describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId")
    kind = "natgateway"
    built: ClassVar = {}
    outputs = ("publicIp", "networkInterfaceId", "associationId")
    defaults: ClassVar = {"connectivityType": "public"}

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        if inputs.get("connectivityType") == "private" and inputs.get("allocationId"):
            yield "allocationId", "a private NAT gateway has no elastic address"

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        gateway = super().found(identity, state)
        if gateway["State"] == "failed":
            raise RuntimeError(f"{identity} failed: {gateway.get('FailureMessage', 'no reason given')}")
        addresses = gateway.get("NatGatewayAddresses")
        if not addresses and state.get("allocationId"):
            # The local AWS doesn't return a NAT gateway's addresses; look up the Elastic IP address instead.
            of_address = Call(
                "describe_addresses", "AllocationIds", "Addresses[].{AllocationId: AllocationId, PublicIp: PublicIp}"
            )
            addresses = of_address(self.client, state["allocationId"], {})
        return gateway | addresses[0] if addresses else gateway


class FlowLog(Ec2Resource):
    """A flow log of a VPC."""

    sdk_name = "aws:ec2/flowLog:FlowLog"
    operation, made = "CreateFlowLogs", "FlowLogIds[0]"
    described: ClassVar = Call("describe_flow_logs", "FlowLogIds", "FlowLogs[0]")
    deleted: ClassVar = Call("delete_flow_logs", "FlowLogIds")
    listing: ClassVar = Listing("describe_flow_logs", "FlowLogs[].FlowLogId")
    kind = "vpc-flow-log"
    renamed: ClassVar = {"iamRoleArn": "DeliverLogsPermissionArn"}
    defaults: ClassVar = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    handled: ClassVar = names("vpcId")
    shown: ClassVar = {"vpcId": "ResourceId"}

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**super().parameters(inputs), "ResourceIds": [inputs["vpcId"]], "ResourceType": "VPC"}
