"""Examples: VPCs and what is in them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.sandbox.providers.examples.example import Example

EXAMPLES: Mapping[str, Example] = {
    "aws:ec2/vpc:Vpc": Example(
        lambda _: {"cidrBlock": "10.7.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "vpc"}},
        lambda _: {"enableDnsHostnames": False, "tags": {"Name": "other"}},
        lambda _: {"cidrBlock": "10.8.0.0/16"},
        ("arn", "defaultSecurityGroupId", "mainRouteTableId", "defaultNetworkAclId", "ownerId"),
    ),
    "aws:ec2/subnet:Subnet": Example(
        lambda w: {"vpcId": w["vpc"], "cidrBlock": "10.0.90.0/24", "availabilityZone": "ap-northeast-2a"},
        lambda _: {"mapPublicIpOnLaunch": True, "tags": {"a": "b"}},
        lambda _: {"cidrBlock": "10.0.91.0/24"},
        ("arn", "availabilityZoneId", "ownerId"),
    ),
    "aws:ec2/internetGateway:InternetGateway": Example(
        lambda w: {"vpcId": w["vpc"], "tags": {"Name": "igw"}},
        lambda _: {"tags": {"Name": "other"}},
        None,
        ("arn", "ownerId"),
    ),
    "aws:ec2/eip:Eip": Example(
        lambda _: {"domain": "vpc", "tags": {"Name": "eip"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"networkBorderGroup": "ap-northeast-2"},
        ("publicIp", "allocationId"),
    ),
    "aws:ec2/natGateway:NatGateway": Example(
        lambda w: {"subnetId": w["subnet_a"], "allocationId": w["eip"], "tags": {"Name": "nat"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda w: {"subnetId": w["subnet_b"]},
        ("publicIp",),
    ),
    "aws:ec2/routeTable:RouteTable": Example(
        lambda w: {"vpcId": w["vpc"], "tags": {"Name": "table"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda w: {"vpcId": w["other_vpc"]},
        ("arn", "ownerId"),
    ),
    "aws:ec2/route:Route": Example(
        lambda w: {
            "routeTableId": w["route_table"],
            "destinationCidrBlock": "172.16.0.0/12",
            "gatewayId": w["internet_gateway"],
        },
        None,
        lambda _: {"destinationCidrBlock": "172.17.0.0/16"},
        ("state", "origin"),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Example(
        lambda w: {"routeTableId": w["route_table"], "subnetId": w["subnet_a"]},
        None,
        lambda w: {"subnetId": w["subnet_b"]},
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Example(
        lambda w: {"vpcId": w["vpc"], "ingress": [], "egress": [], "tags": {"Name": "closed"}},
        lambda _: {"tags": {"Name": "other"}},
        None,
        ("arn", "name"),
        delete_leaves=True,
    ),
    "aws:ec2/securityGroup:SecurityGroup": Example(
        lambda w: {"name": "example", "description": "Example", "vpcId": w["vpc"], "tags": {"Name": "sg"}},
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"description": "Other"},
        ("arn", "ownerId"),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Example(
        lambda w: {
            "securityGroupId": w["security_group"],
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "cidrIpv4": "192.0.2.0/24",
            "description": "HTTPS",
        },
        lambda _: {"description": "HTTPS from the office"},
        lambda w: {"securityGroupId": w["other_security_group"]},
        ("arn", "securityGroupRuleId"),
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Example(
        lambda w: {
            "securityGroupId": w["security_group"],
            "ipProtocol": "tcp",
            "fromPort": 4141,
            "toPort": 4141,
            "referencedSecurityGroupId": w["other_security_group"],
            "description": "To the tasks",
        },
        lambda _: {"description": "To the tasks only"},
        lambda w: {"securityGroupId": w["other_security_group"]},
        ("arn", "securityGroupRuleId"),
    ),
    "aws:ec2/flowLog:FlowLog": Example(
        lambda w: {
            "vpcId": w["vpc"],
            "trafficType": "ALL",
            "logDestination": "arn:aws:logs:ap-northeast-2:123456789012:log-group:/vpc/example",
            "iamRoleArn": "arn:aws:iam::123456789012:role/flow-logs",
            "tags": {"Name": "flows"},
        },
        lambda _: {"tags": {"Name": "other"}},
        lambda _: {"trafficType": "REJECT"},
        ("arn",),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Example(
        lambda w: {
            "vpcId": w["vpc"],
            "serviceName": "com.amazonaws.ap-northeast-2.ecr.api",
            "vpcEndpointType": "Interface",
            "subnetIds": [w["subnet_a"]],
            "securityGroupIds": [w["security_group"]],
            "privateDnsEnabled": True,
            "tags": {"Name": "endpoint"},
        },
        lambda w: {"subnetIds": [w["subnet_b"], w["subnet_a"]]},
        lambda _: {"serviceName": "com.amazonaws.ap-northeast-2.logs"},
        ("arn", "state", "dnsEntries"),
    ),
}
