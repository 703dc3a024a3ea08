"""Functions answer as the official provider's do."""

from __future__ import annotations

import grpc
import pytest

from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.aws import table
from sandbox.testbed.providers.aws.package import AwsPackage
from sandbox.testbed.providers.values import Properties
from tests.sandbox.providers.examples import World
from tests.sandbox.providers.plugin import Plugin


def _answers(world: World) -> list[tuple[str, Properties, Properties]]:
    """Function, arguments, and a part of the answer."""
    return [
        ("index/getRegion:getRegion", {}, {"region": "ap-northeast-2", "name": "ap-northeast-2"}),
        ("index/getPartition:getPartition", {}, {"partition": "aws", "dnsSuffix": "amazonaws.com"}),
        ("index/getCallerIdentity:getCallerIdentity", {}, {"accountId": "123456789012"}),
        (
            "index/getAvailabilityZones:getAvailabilityZones",
            {"state": "available", "excludeNames": ["ap-northeast-2b"]},
            {"names": ["ap-northeast-2a", "ap-northeast-2c"]},
        ),
        ("ec2/getVpc:getVpc", {"id": world["vpc"]}, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True}),
        (
            "ec2/getSubnet:getSubnet",
            {"id": world["subnet_b"]},
            {"availabilityZone": "ap-northeast-2b", "vpcId": world["vpc"], "cidrBlock": "10.0.1.0/24"},
        ),
        (
            "ec2/getRouteTable:getRouteTable",
            {"routeTableId": world["route_table"]},
            {"vpcId": world["vpc"], "routeTableId": world["route_table"], "routes": []},
        ),
        (
            "ec2/getRouteTables:getRouteTables",
            {"vpcId": world["vpc"], "filters": [{"name": "association.main", "values": ["false"]}]},
            {"vpcId": world["vpc"]},
        ),
        (
            "ec2/getRouteTables:getRouteTables",
            {"vpcId": world["vpc"], "filters": [{"name": "association.subnet-id", "values": ["subnet-0"]}]},
            {"vpcId": world["vpc"], "ids": []},
        ),
        (
            "ec2/getManagedPrefixList:getManagedPrefixList",
            {"name": "com.amazonaws.ap-northeast-2.s3"},
            {"name": "com.amazonaws.ap-northeast-2.s3"},
        ),
        (
            "kms/getKey:getKey",
            {"keyId": world["key"]},
            {"arn": f"arn:aws:kms:ap-northeast-2:123456789012:key/{world['key']}", "keyManager": "CUSTOMER"},
        ),
        ("secretsmanager/getSecret:getSecret", {"name": "secret"}, {"arn": world["secret"], "id": world["secret"]}),
        (
            "secretsmanager/getSecretVersion:getSecretVersion",
            {"secretId": world["secret"]},
            {"arn": world["secret"], "secretId": world["secret"], "secretString": "value"},
        ),
        (
            "ecs/getCluster:getCluster",
            {"clusterName": world["cluster_name"]},
            {"arn": world["cluster"], "status": "ACTIVE"},
        ),
        (
            "lb/getListener:getListener",
            {"arn": world["listener"]},
            {"loadBalancerArn": world["load_balancer"], "protocol": "HTTP", "port": 80},
        ),
        (
            "lb/getLoadBalancer:getLoadBalancer",
            {"arn": world["load_balancer"]},
            {
                "arnSuffix": world["load_balancer"].partition("loadbalancer/")[2],
                "internal": True,
                "vpcId": world["load_balancer_vpc"],
            },
        ),
        ("route53/getZone:getZone", {"name": "example.com"}, {"zoneId": world["zone"], "privateZone": False}),
        ("route53/getZone:getZone", {"zoneId": world["zone"]}, {"name": "example.com"}),
    ]


def test_every_function_answers(plugin: Plugin, world: World) -> None:
    schemas = AwsPackage().schemas()
    called = set()
    for name, arguments, expected in _answers(world):
        token = f"aws:{name}"
        called.add(token)
        answer, failures = plugin.invoke(token, arguments)
        assert failures == {}, token
        assert {key: answer.get(key) for key in expected} == expected, token
        assert answer.keys() <= set(schemas[token].outputs), token
    assert called == table.FUNCTIONS.keys()


def test_the_account_may_lack_what_is_asked_for(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:ec2/getSubnet:getSubnet", {"cidrBlock": "192.0.2.0/24"})
    details = str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
    assert "0 objects fit {'cidrBlock': '192.0.2.0/24'}; exactly one must" in details


def test_arguments_are_judged(plugin: Plugin) -> None:
    assert "did you mean 'vpcId'?" in plugin.invoke("aws:ec2/getSubnet:getSubnet", {"vpcID": "x"})[1]["vpcID"]
    assert "missing" in plugin.invoke("aws:secretsmanager/getSecretVersion:getSecretVersion", {})[1]["secretId"]
    assert "not of type array" in plugin.invoke("aws:ec2/getSubnet:getSubnet", {"filters": "x"})[1]["filters"]


def test_a_secret_that_is_being_deleted_is_not_found(plugin: Plugin, aws: LocalAws) -> None:
    client = aws.client("secretsmanager")
    client.create_secret(Name="leaving")
    client.delete_secret(SecretId="leaving", RecoveryWindowInDays=7)
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:secretsmanager/getSecret:getSecret", {"name": "leaving"})
    assert "deletion" in str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
