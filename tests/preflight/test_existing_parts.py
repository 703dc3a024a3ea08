"""The checks of an existing cluster, security group, key and registry, each spoiled once."""

import json
from typing import Any

import pytest

from preflight.errors import Status
from sandbox.substitutes import existing_ingress
from tests.preflight.account import Account
from tests.preflight.test_existing_listener import shared

__all__ = ["shared"]


def ended(account: Account, check: str, status: Status, *said: str) -> None:
    result = account.result(f"existing parts: {check}")
    text = f"{result.message} -> {result.remedy}"
    assert (result.status, [part for part in said if part not in text]) == (status, []), text


def test_a_cluster_needs_the_capacity_provider_of_the_task(account: Account) -> None:
    account.values["clusterName"] = "platform"
    ended(account, "cluster", Status.FAILED, "the cluster platform does not exist")
    existing_ingress.cluster(account.aws, "platform")
    ended(account, "cluster", Status.OK, "platform with FARGATE")
    account.altered[("ecs", "describe_clusters")] = {"clusters": {"capacityProviders": ["ec2"]}}
    ended(account, "cluster", Status.FAILED, "has the capacity providers ec2, and capacityProvider is FARGATE")


def test_a_cluster_without_container_insights_is_a_warning(account: Account) -> None:
    account.values["clusterName"] = "platform"
    existing_ingress.cluster(account.aws, "platform")
    account.altered[("ecs", "describe_clusters")] = {"clusters": {"settings": []}}
    ended(account, "cluster", Status.WARNING, "Container Insights is off")


def test_a_security_group_that_is_open_to_everyone_is_a_warning(shared: Account) -> None:
    ended(shared, "load balancer's security group", Status.WARNING, "accepts HTTPS from 0.0.0.0/0")


def test_a_security_group_without_the_allowed_ranges_fails_unless_the_stack_extends_it(shared: Account) -> None:
    group = existing_ingress.security_group(shared.aws, "closed", shared.values["vpcId"])
    shared.values["loadBalancerSecurityGroupId"] = group
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "203.0.112.0/20"}]}
    shared.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    ended(
        shared,
        "load balancer's security group",
        Status.FAILED,
        "doesn't allow HTTPS from 198.51.100.32/28, 192.30.252.0/22",
        "set extendSecurityGroup to true",
    )
    shared.values["extendSecurityGroup"] = True
    ended(shared, "load balancer's security group", Status.OK, group)


def _key(account: Account, *services: str) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    statements = [statement | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]
    statements += [statement | {"Principal": {"Service": service}} for service in services]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return account.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]


def test_a_key_needs_a_statement_for_cloudwatch_logs(account: Account) -> None:
    account.values["logKeyArn"] = _key(account, "logs.ap-northeast-2.amazonaws.com")
    ended(account, "key of the logs", Status.OK, "with logs.ap-northeast-2.amazonaws.com in its policy")
    account.values["logKeyArn"] = _key(account, "logs.us-east-1.amazonaws.com")
    ended(account, "key of the logs", Status.FAILED, "no statement for logs.ap-northeast-2.amazonaws.com")
    account.client("kms").disable_key(KeyId=account.values["logKeyArn"])
    ended(account, "key of the logs", Status.FAILED, "is Disabled")


@pytest.mark.parametrize(("kinds", "status"), [(["A"], Status.OK), (["SRV"], Status.FAILED)])
def test_a_registry_needs_a_records(account: Account, kinds: list[str], status: Status) -> None:
    discovery = account.client("servicediscovery")
    operation = discovery.create_private_dns_namespace(Name="internal", Vpc=account.values["vpcId"])["OperationId"]
    namespace = discovery.get_operation(OperationId=operation)["Operation"]["Targets"]["NAMESPACE"]
    created = discovery.create_service(
        Name="atlantis", NamespaceId=namespace, DnsConfig={"DnsRecords": [{"Type": kind, "TTL": 10} for kind in kinds]}
    )["Service"]
    for key in ("publicSubnetIds", "webAclArn", "acmCertificateArn", "hostedZoneId"):
        del account.values[key]
    account.values |= {
        "loadBalancerScheme": "none",
        "allowedCidrBlocks": ["10.0.0.0/16"],
        "serviceRegistryArn": f"arn:aws:servicediscovery:ap-northeast-2:123456789012:service/{created['Id']}",
    }
    ended(account, "service registry", status, "atlantis" if status is Status.OK else "has SRV records")


def test_additional_policies_must_exist_and_should_not_allow_everything(account: Account) -> None:
    arn = "arn:aws:iam::123456789012:policy/buckets"
    account.values["additionalPolicyArns"] = [arn]
    ended(account, "additional policies", Status.FAILED, f"{arn} does not exist")
    for name, action, status in (("buckets", "s3:*", Status.OK), ("all", ["s3:*", "iam:*"], Status.WARNING)):
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        account.client("iam").create_policy(PolicyName=name, PolicyDocument=document)
        account.values["additionalPolicyArns"] = [f"arn:aws:iam::123456789012:policy/{name}"]
        ended(account, "additional policies", status, "allows iam:*" if status is Status.WARNING else "buckets")


def test_parameters_must_exist_and_should_be_encrypted(account: Account) -> None:
    account.values["secretEnvironment"] = ["TOKEN=ssm:/ci/token"]
    ended(account, "parameters", Status.FAILED, "the parameter /ci/token does not exist")
    ssm = account.client("ssm")
    ssm.put_parameter(Name="/ci/token", Value="x", Type="String")
    ended(account, "parameters", Status.WARNING, "is a String")
    ssm.put_parameter(Name="/ci/token", Value="x", Type="SecureString", Overwrite=True)
    ended(account, "parameters", Status.OK, "/ci/token")


def test_parameters_of_own_containers_must_exist_too(account: Account) -> None:
    arn = f"arn:aws:ssm:{account.aws.region}:{account.aws.account}:parameter/metrics"
    image = f"example/metrics@sha256:{'0a' * 32}"
    account.values["extraContainers"] = [{"name": "metrics", "image": image, "secrets": {"KEY": arn}}]
    ended(account, "parameters", Status.FAILED, "the parameter /metrics does not exist")
    account.client("ssm").put_parameter(Name="metrics", Value="x", Type="SecureString")
    ended(account, "parameters", Status.OK, "/metrics")
