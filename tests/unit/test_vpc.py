"""The VPC: a new one through awsx, or one that exists, judged before anything is registered."""

from typing import Any

import pulumi
import pytest

from components.network import vpc
from tests.unit.recording import EXISTING_VPC
from tests.unit.stacks import TAGS, stack

SUBNET = "aws:ec2/subnet:Subnet"


def test_the_default_security_group_of_a_new_vpc_has_no_rules() -> None:
    group = stack().one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert group.inputs == {"vpcId": "vpc-new", "tags": TAGS}


def test_of_several_private_subnets_in_a_zone_the_first_is_used() -> None:
    graph = stack(
        **EXISTING_VPC | {"privateSubnetIds": [*EXISTING_VPC["privateSubnetIds"], "subnet-0000000000000a001"]},
        vpcEndpoints=["s3"],
    )
    targets = [target.inputs["subnetId"] for target in graph.all("aws:efs/mountTarget:MountTarget")]
    assert targets == EXISTING_VPC["privateSubnetIds"]
    assert graph.one("aws:ec2/vpcEndpoint:VpcEndpoint", "network-endpoint-s3").inputs["routeTableIds"] == [
        "rtb-main",
        "rtb-own",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"privateSubnetIds": ["subnet-00000000000000009", "subnet-00000000000000004"]},
            "atlantis:privateSubnetIds: subnet-00000000000000009 is of vpc-other, not of atlantis:vpcId = vpc-0a1b2c3d4e5f60718",
        ),
        (
            {"publicSubnetIds": ["subnet-00000000000000001", "subnet-0000000000000a001"]},
            "atlantis:publicSubnetIds: all are in ap-northeast-2a; name subnets of at least 2 zones",
        ),
    ],
    ids=["of another VPC", "in one zone"],
)
def test_subnets_that_do_not_fit_end_the_run_with_their_key_and_id(changes: dict[str, object], told: str) -> None:
    with pytest.raises(pulumi.RunError, match="nothing was touched") as refused:
        stack(**EXISTING_VPC | changes)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("type_", "given", "registered"),
    [
        (SUBNET, {"cidrBlock": "10.64.0.0/20", "mapPublicIpOnLaunch": True}, False),
        (SUBNET, {"cidrBlock": "10.64.0.0/20", "mapPublicIpOnLaunch": False}, None),
        ("aws:ec2/vpc:Vpc", {"mapPublicIpOnLaunch": True}, None),
    ],
    ids=["public", "private", "not a subnet"],
)
def test_nothing_in_a_public_subnet_gets_a_public_address_by_itself(
    type_: str, given: dict[str, Any], registered: bool | None
) -> None:
    args = pulumi.ResourceTransformArgs(True, type_, "vpc-public-1", given, pulumi.ResourceOptions())
    result = vpc._without_public_addresses(args)
    assert (result and result.props) == (None if registered is None else given | {"mapPublicIpOnLaunch": registered})
