"""The network checks, each spoiled once."""

from preflight.errors import Status
from sandbox.testbed.local_aws import REGION
from tests.preflight.account import Account

EVERYWHERE = "0.0.0.0/0"


def test_subnet_of_another_vpc_is_a_failure(account: Account):
    ec2 = account.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=other, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{REGION}b")["Subnet"][
        "SubnetId"
    ]
    account.values["privateSubnetIds"] = [account.ids["private a"], subnet]
    account.assert_only("network: subnets", Status.FAILED, f"{subnet} is in {other}, not in {account.ids['vpc']}")


def test_subnets_of_one_zone_are_a_failure_and_one_too_many_is_not_used(account: Account):
    ec2 = account.client("ec2")
    subnet = ec2.create_subnet(VpcId=account.ids["vpc"], CidrBlock="10.0.9.0/24", AvailabilityZone=f"{REGION}a")[
        "Subnet"
    ]["SubnetId"]
    ec2.associate_route_table(RouteTableId=account.ids["private routes"], SubnetId=subnet)
    account.values["privateSubnetIds"] = [account.ids["private a"], subnet]
    account.assert_only(
        "network: zones",
        Status.FAILED,
        f"privateSubnetIds: all are in {REGION}a; name subnets of at least 2 zones",
        "name a subnet of another zone in privateSubnetIds",
    )
    # As the program has it: a further subnet of a zone is left out.
    account.values["privateSubnetIds"].append(account.ids["private b"])
    account.assert_only(
        "network: zones",
        Status.WARNING,
        f"privateSubnetIds: {subnet} ({REGION}a) isn't used",
        "name it before the other",
    )


def test_others_in_the_vpc_are_a_warning_where_endpoints_are_named(account: Account):
    ec2 = account.client("ec2")
    subnet = account.ids["private a"]
    own = ec2.create_security_group(VpcId=account.ids["vpc"], GroupName="atlantis-ecs-tasks-prod", Description="own")
    ec2.create_network_interface(SubnetId=subnet, Groups=[own["GroupId"]])
    assert account.result("network: other users of the endpoints").status is Status.OK
    other = ec2.create_security_group(VpcId=account.ids["vpc"], GroupName="web-shop", Description="another")
    found = ec2.create_network_interface(SubnetId=subnet, Groups=[other["GroupId"]])["NetworkInterface"]
    account.assert_only(
        "network: other users of the endpoints",
        Status.WARNING,
        f"other workloads use {account.ids['vpc']} ({found['NetworkInterfaceId']}): their calls to ecr.api, ",
        "remove vpcEndpoints",
        # The task's security group that the test makes is one that the account's boundary doesn't know.
        besides="roles: boundary protects Atlantis",
    )
    account.values["vpcEndpoints"] = ["auto"]
    assert account.result("network: other users of the endpoints").status is Status.NOT_CHECKED


def test_subnet_without_a_separate_table_follows_the_main_one(account: Account):
    ec2 = account.client("ec2")
    subnet = ec2.create_subnet(VpcId=account.ids["vpc"], CidrBlock="10.0.9.0/24", AvailabilityZone=f"{REGION}c")[
        "Subnet"
    ]["SubnetId"]
    account.values["privateSubnetIds"] = [account.ids["private a"], subnet]
    account.assert_only("network: private subnets", Status.FAILED, f"{subnet} has no default route")
    main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [account.ids["vpc"]]}]
    table = ec2.describe_route_tables(Filters=main)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE, NatGatewayId=account.ids["nat gateway"])
    assert account.result("network: private subnets").status is Status.OK
