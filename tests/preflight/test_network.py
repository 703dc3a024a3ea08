"""The network checks, each spoiled once."""

import pytest

from preflight.errors import Status
from sandbox.testbed.local_aws import REGION
from tests.preflight.world import World

EVERYWHERE = "0.0.0.0/0"


def test_unknown_vpc_is_a_failure(world: World):
    world.values["vpcId"] = "vpc-00000000000000000"
    world.assert_only(
        "network: VPC", Status.FAILED, "vpc-00000000000000000 does not exist", "correct vpcId or aws:region"
    )


def test_vpc_that_the_deployment_makes_needs_no_check(world: World):
    for key in ("vpcId", "publicSubnetIds", "privateSubnetIds"):
        del world.values[key]
    world.assert_only("network: VPC", Status.NOT_CHECKED, "the deployment creates its own VPC")


@pytest.mark.parametrize(
    ("attribute", "flag"), [("EnableDnsSupport", "enable-dns-support"), ("EnableDnsHostnames", "enable-dns-hostnames")]
)
def test_dns_that_is_off_is_a_failure(world: World, attribute: str, flag: str):
    world.client("ec2").modify_vpc_attribute(VpcId=world.ids["vpc"], **{attribute: {"Value": False}})
    name = attribute[0].lower() + attribute[1:]
    world.assert_only("network: DNS in the VPC", Status.FAILED, f"off in {world.ids['vpc']}: {name};", f"--{flag}")


@pytest.mark.parametrize("key", ["publicSubnetIds", "privateSubnetIds"])
def test_unknown_subnet_is_a_failure(world: World, key: str):
    world.values[key] = [world.values[key][0], "subnet-00000000000000000"]
    world.assert_only(
        "network: subnets", Status.FAILED, f"{key}: subnet-00000000000000000 does not exist", f"correct {key}"
    )


def test_subnet_of_another_vpc_is_a_failure(world: World):
    ec2 = world.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{REGION}b")["Subnet"][
        "SubnetId"
    ]
    world.values["privateSubnetIds"] = [world.ids["private a"], subnet]
    world.assert_only("network: subnets", Status.FAILED, f"{subnet} is in {other}, not in {world.ids['vpc']}")


def test_subnets_of_one_zone_are_a_failure_and_one_too_many_is_not_used(world: World):
    ec2 = world.client("ec2")
    subnet = ec2.create_subnet(VpcId=world.ids["vpc"], CidrBlock="10.0.9.0/24", AvailabilityZone=f"{REGION}a")[
        "Subnet"
    ]["SubnetId"]
    ec2.associate_route_table(RouteTableId=world.ids["private routes"], SubnetId=subnet)
    world.values["privateSubnetIds"] = [world.ids["private a"], subnet]
    world.assert_only(
        "network: zones",
        Status.FAILED,
        f"privateSubnetIds: all are in {REGION}a; name subnets of at least 2 zones",
        "name a subnet of another zone in privateSubnetIds",
    )
    # As the program has it: a further subnet of a zone is left out.
    world.values["privateSubnetIds"].append(world.ids["private b"])
    world.assert_only(
        "network: zones",
        Status.WARNING,
        f"privateSubnetIds: {subnet} ({REGION}a) isn't used",
        "name it before the other",
    )


def test_others_in_the_vpc_are_a_warning_where_endpoints_are_named(world: World):
    ec2 = world.client("ec2")
    subnet = world.ids["private a"]
    own = ec2.create_security_group(VpcId=world.ids["vpc"], GroupName="atlantis-ecs-tasks-prod", Description="own")
    ec2.create_network_interface(SubnetId=subnet, Groups=[own["GroupId"]])
    assert world.result("network: other users of the endpoints").status is Status.OK
    other = ec2.create_security_group(VpcId=world.ids["vpc"], GroupName="web-shop", Description="another")
    found = ec2.create_network_interface(SubnetId=subnet, Groups=[other["GroupId"]])["NetworkInterface"]
    world.assert_only(
        "network: other users of the endpoints",
        Status.WARNING,
        f"other workloads use {world.ids['vpc']} ({found['NetworkInterfaceId']}): their calls to ecr.api, ",
        "remove vpcEndpoints",
        # The task's security group that the test makes is one that the world's boundary doesn't know.
        besides="roles: boundary protects Atlantis",
    )
    world.values["vpcEndpoints"] = ["auto"]
    assert world.result("network: other users of the endpoints").status is Status.NOT_CHECKED


def test_public_subnet_without_an_internet_gateway_is_a_failure(world: World):
    world.client("ec2").delete_route(RouteTableId=world.ids["public routes"], DestinationCidrBlock=EVERYWHERE)
    world.assert_only(
        "network: public subnets", Status.FAILED, world.ids["public a"], "no default route to an internet gateway"
    )


def test_private_subnet_without_a_way_out_is_a_failure(world: World):
    world.client("ec2").delete_route(RouteTableId=world.ids["private routes"], DestinationCidrBlock=EVERYWHERE)
    world.assert_only(
        "network: private subnets", Status.FAILED, f"{world.ids['private a']} has no default route", "a NAT gateway"
    )


def test_private_subnet_that_is_public_is_a_failure(world: World):
    world.client("ec2").replace_route(
        RouteTableId=world.ids["private routes"],
        DestinationCidrBlock=EVERYWHERE,
        GatewayId=world.ids["internet gateway"],
    )
    world.assert_only(
        "network: private subnets",
        Status.FAILED,
        "has a default route to the internet gateway",
        "use a private subnet",
    )


def test_private_subnet_behind_a_deleted_nat_gateway_is_a_failure(world: World):
    world.client("ec2").delete_nat_gateway(NatGatewayId=world.ids["nat gateway"])
    world.assert_only(
        "network: private subnets", Status.FAILED, f"leads to {world.ids['nat gateway']}, which is ", "is available"
    )


def test_subnet_without_a_separate_table_follows_the_main_one(world: World):
    ec2 = world.client("ec2")
    subnet = ec2.create_subnet(VpcId=world.ids["vpc"], CidrBlock="10.0.9.0/24", AvailabilityZone=f"{REGION}c")[
        "Subnet"
    ]["SubnetId"]
    world.values["privateSubnetIds"] = [world.ids["private a"], subnet]
    world.assert_only("network: private subnets", Status.FAILED, f"{subnet} has no default route")
    main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [world.ids["vpc"]]}]
    table = ec2.describe_route_tables(Filters=main)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE, NatGatewayId=world.ids["nat gateway"])
    assert world.result("network: private subnets").status is Status.OK
