"""Parts of a substitute for an existing network: a VPC, subnets and their ways to the internet."""

from typing import Any

VPC_RANGE = "10.32.0.0/16"


def vpc(ec2: Any, original: str) -> str:
    tags = [{"Key": "Name", "Value": f"substitute for {original}"}]
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    vpc_id = ec2.create_vpc(CidrBlock=VPC_RANGE, TagSpecifications=specification)["Vpc"]["VpcId"]
    # Both are required for interface endpoints with private DNS.
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    return vpc_id


def internet_gateway(ec2: Any, vpc_id: str) -> str:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    return gateway


def subnet(ec2: Any, vpc_id: str, first: int, index: int, table: str) -> str:
    """Subnet number ``index``, in the first free range from ``first``. Consecutive subnets are in different Availability Zones."""
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    # The stack file may have named other subnets before, whose substitutes stay.
    others = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"]
    taken = {other["CidrBlock"] for other in others}
    blocks = (f"{VPC_RANGE.rsplit('.', 2)[0]}.{number}.0/24" for number in range(first + index, 256))
    block = next(block for block in blocks if block not in taken)
    created = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZone=zones[index % len(zones)])
    subnet_id = created["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
    return subnet_id


def nat_gateway(ec2: Any, subnet_id: str, address: str) -> str:
    created = ec2.create_nat_gateway(SubnetId=subnet_id, AllocationId=address)
    return created["NatGateway"]["NatGatewayId"]


def route_table(ec2: Any, vpc_id: str, **target: str) -> str:
    """A route table, with a default route to ``target`` (a parameter of CreateRoute) if there is one."""
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    if target:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    return table
