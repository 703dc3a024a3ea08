"""VPCs, subnets, their ways out, and the record of their connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call, Change
from sandbox.providers.aws.ec2 import VPC, Ec2Resource
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_IPV6 = "Ipv6CidrBlockAssociationSet[0]"
"""Its values are empty, not missing, where there is none: awsx reads them, and takes a missing one for unknown."""


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
    updates: ClassVar = (  # host names need DNS support first, and EC2 refuses two attributes in a call
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
    """A subnet of a VPC in one zone. IPv6 attributes would need a call each that no stack here makes."""

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
    """A VPC's way to and from the internet."""

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
        """Attach it to the VPC that it belongs to now."""
        attached = self._detach(identity, inputs.get("vpcId"))
        if inputs.get("vpcId") and attached != inputs["vpcId"]:
            self.client.attach_internet_gateway(InternetGatewayId=identity, VpcId=inputs["vpcId"])

    def _detach(self, identity: str, unless: str | None = None) -> str | None:
        """The VPC that it was attached to, from which it is taken unless that is the right one."""
        attached = (self.describe(identity, {}) or {})["vpcId"]
        if attached and attached != unless:
            self.when_unused(lambda: self.client.detach_internet_gateway(InternetGatewayId=identity, VpcId=attached))
        return attached

    def remove(self, identity: str, state: Properties) -> None:
        self._detach(identity)
        super().remove(identity, state)


class Eip(Ec2Resource):
    """An elastic address."""

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
    """The way out for private subnets. A deleted one can still be seen for an hour."""

    sdk_name = "aws:ec2/natGateway:NatGateway"
    operation, made = "CreateNatGateway", "NatGateway.NatGatewayId"
    described: ClassVar = Call(
        "describe_nat_gateways", "NatGatewayIds", "NatGateways[?!contains(['deleted', 'deleting'], State)] | [0]"
    )
    deleted: ClassVar = Call("delete_nat_gateway", "NatGatewayId")
    goes_slowly = True  # its address is free only when it is gone
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
            # The local AWS tells nothing of a gateway's addresses; the elastic one can be looked up.
            of_address = Call(
                "describe_addresses", "AllocationIds", "Addresses[].{AllocationId: AllocationId, PublicIp: PublicIp}"
            )
            addresses = of_address(self.client, state["allocationId"], {})
        return gateway | addresses[0] if addresses else gateway


class FlowLog(Ec2Resource):
    """A record of the connections in a VPC."""

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
