"""Network: the VPC, security groups' rules and the endpoints. The default stack's rules are in `decided.yaml`."""

from typing import Any

import pulumi
import pytest

from components.network import vpc
from tests.unit.recording import EXISTING_VPC, Graph, Registered
from tests.unit.stacks import ALLOWED, BARE, TAGS, stack

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"

INTERFACES = ["ecr.api", "ecr.dkr", "secretsmanager", "logs"]


def into_load_balancer(graph: Graph) -> list[Registered]:
    return [rule for rule in graph.all(INGRESS) if rule.inputs["securityGroupId"] == "network-alb-id"]


def test_a_load_balancer_without_ipv6_has_no_rule_for_it() -> None:
    graph = stack(allowedCidrBlocks=ALLOWED)
    assert [rule.name for rule in graph.all(INGRESS) if "cidrIpv6" in rule.inputs] == []
    assert len(into_load_balancer(graph)) == 2 * 7 + 3


@pytest.mark.parametrize("service", [*INTERFACES, "s3"])
def test_an_endpoint_that_is_left_out_is_not_made_and_the_others_are(service: str) -> None:
    others = [other for other in [*INTERFACES, "s3"] if other != service]
    graph = stack(vpcEndpoints=others)
    assert graph.names(ENDPOINT) == sorted(f"network-endpoint-{other}" for other in others)


@pytest.mark.parametrize("changes", [BARE, {"vpcEndpoints": ["s3"]}], ids=["none", "s3 only"])
def test_without_interface_endpoints_there_is_neither_their_group_nor_a_rule_to_it(changes: dict[str, object]) -> None:
    graph = stack(**changes)
    assert graph.names(GROUP) == ["network-alb", "network-ecs-tasks", "network-efs"]
    assert [rule.name for rule in graph.resources if "endpoints" in rule.name] == []


def test_the_endpoint_of_systems_manager_is_created_where_endpoints_are_and_parameters_are_used() -> None:
    parameters = {"secretEnvironment": ["REGISTRY_TOKEN=ssm:/ci/registry"]}
    assert "network-endpoint-ssm" not in stack().names(ENDPOINT)
    assert "network-endpoint-ssm" in stack(**parameters).names(ENDPOINT)
    assert stack(**parameters, vpcEndpoints=[]).names(ENDPOINT) == []
    assert stack(vpcEndpoints=["ssm"]).names(ENDPOINT) == ["network-endpoint-ssm"]


def test_named_endpoints_in_an_existing_vpc_admit_its_other_workloads() -> None:
    graph = stack(**EXISTING_VPC, vpcEndpoints=["logs"])
    rules = [
        rule
        for rule in graph.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if "endpoints" in rule.name
    ]
    assert {rule.name: rule.inputs.get("cidrIpv4") for rule in rules} == {
        "network-endpoints-https-from-10.20.0.0/16": "10.20.0.0/16",
        "network-tasks-to-endpoints-ingress": None,
    }


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
