"""Objects that the examples refer to, made once in the local AWS without the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.providers.examples import World

TRUST = """{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
]}"""


def build(client: Callable[[str], Any]) -> World:
    """Make them all; returns their ids."""
    network = _network(client("ec2"))
    return {**network, **_storage(client), **_cache(client, network), **_balancing(client), **_rest(client)}


def _network(ec2: Any) -> dict[str, str]:
    vpc, other = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ids = {"vpc": vpc, "other_vpc": other}
    for index, zone in enumerate("ab"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")
        ids[f"subnet_{zone}"] = subnet["Subnet"]["SubnetId"]
    for name in ("security_group", "other_security_group"):
        ids[name] = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    ids["route_table"] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=other)
    ids["internet_gateway"] = gateway
    ids["eip"] = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return ids


def _storage(client: Callable[[str], Any]) -> dict[str, str]:
    ids = {}
    for prefix in ("", "other_"):
        key = client("kms").create_key()["KeyMetadata"]
        ids |= {f"{prefix}key": key["KeyId"], f"{prefix}key_arn": key["Arn"]}
        token = f"{prefix}file_system"
        ids[token] = client("efs").create_file_system(CreationToken=token, Encrypted=True)["FileSystemId"]
        name = f"{prefix}repository"
        ids[name] = client("ecr").create_repository(repositoryName=name)["repository"]["repositoryName"]
        ids[f"{prefix}secret"] = client("secretsmanager").create_secret(Name=f"{prefix}secret", SecretString="value")[
            "ARN"
        ]
        bucket = f"atlantis-{prefix.replace('_', '-')}world"
        where = {"LocationConstraint": "ap-northeast-2"}
        client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        ids[f"{prefix}bucket"] = bucket
    return ids


def _cache(client: Callable[[str], Any], network: World) -> dict[str, str]:
    group = client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName="world",
        CacheSubnetGroupDescription="World",
        SubnetIds=[network["subnet_a"], network["subnet_b"]],
    )["CacheSubnetGroup"]
    return {"cache_subnet_group": group["CacheSubnetGroupName"]}


def _balancing(client: Callable[[str], Any]) -> dict[str, str]:
    elb, ec2 = client("elbv2"), client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    ids = {"load_balancer_vpc": vpc}
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.2.{index}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")[
            "Subnet"
        ]["SubnetId"]
        for index, zone in enumerate("ab")
    ]
    for prefix in ("", "other_"):
        name = f"{prefix}world".replace("_", "-")
        group = elb.create_target_group(Name=name, Protocol="HTTP", Port=4141, VpcId=vpc, TargetType="ip")
        ids[f"{prefix}target_group"] = group["TargetGroups"][0]["TargetGroupArn"]
        balancer = elb.create_load_balancer(Name=name, Subnets=subnets, Scheme="internal")["LoadBalancers"][0]
        ids[f"{prefix}load_balancer"] = balancer["LoadBalancerArn"]
        ids[f"{prefix}load_balancer_suffix"] = balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
        answer = elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": ids[f"{prefix}target_group"]}],
        )
        ids[f"{prefix}listener"] = answer["Listeners"][0]["ListenerArn"]
    return ids


def _rest(client: Callable[[str], Any]) -> dict[str, str]:
    certificate = client("acm").request_certificate(DomainName="*.example.com", ValidationMethod="DNS")
    zone = client("route53").create_hosted_zone(Name="example.com", CallerReference="world")["HostedZone"]["Id"]
    cluster = client("ecs").create_cluster(clusterName="world")["cluster"]
    role = client("iam").create_role(RoleName="world", AssumeRolePolicyDocument=TRUST)["Role"]
    task = client("ecs").register_task_definition(
        family="world",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "atlantis", "image": "nginx", "portMappings": [{"containerPort": 4141}]}],
    )
    client("logs").create_log_group(logGroupName="/world")
    stream = client("firehose").create_delivery_stream(
        DeliveryStreamName="world",
        ExtendedS3DestinationConfiguration={"RoleARN": role["Arn"], "BucketARN": "arn:aws:s3:::atlantis-world"},
    )
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "world"}
    web_acls = [
        client("wafv2").create_web_acl(Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen)[
            "Summary"
        ]["ARN"]
        for name in ("world", "other-world")
    ]
    return {
        "web_acl": web_acls[0],
        "other_web_acl": web_acls[1],
        "certificate": certificate["CertificateArn"],
        "zone": zone.rpartition("/")[2],
        "cluster": cluster["clusterArn"],
        "scaled": _scaled(client("application-autoscaling")),
        "cluster_name": cluster["clusterName"],
        "log_group": "/world",
        "delivery_stream": stream["DeliveryStreamARN"],
        "role": role["RoleName"],
        "role_arn": role["Arn"],
        "task_definition": task["taskDefinition"]["taskDefinitionArn"],
    }


def _scaled(scaling: Any) -> str:
    """The ID of a service whose tasks have a range."""
    identity = "service/world/scaled"
    dimension = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    scaling.register_scalable_target(ResourceId=identity, MinCapacity=1, MaxCapacity=2, **dimension)
    return identity
