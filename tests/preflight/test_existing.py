"""The checks of an existing listener, cluster, security group, key and registry, each spoiled once."""

import functools
import json
from typing import Any

import pytest

from components.ingress.existing_listener import first_priority
from components.settings.groups import ExistingArgs
from preflight.errors import Status
from sandbox.substitutes import existing_ingress
from tests.preflight.account import Account

FIRST = first_priority(ExistingArgs(), Account.names)
ELSEWHERE = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


@pytest.fixture
def shared(account: Account) -> Account:
    """The account with a load balancer that others use too, and the settings of a stack behind it."""
    group = existing_ingress.security_group(account.aws, "shared", account.values["vpcId"])
    existing_ingress.open_to_everyone(account.aws, group)
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/shared/x/y"
    balancer = existing_ingress.load_balancer(account.aws, arn, account.values["publicSubnetIds"], group)
    certificate = account.values.pop("acmCertificateArn")
    listener = existing_ingress.listener(account.aws, balancer, certificate)
    existing_ingress.rule_of_another_service(account.aws, listener)
    account.values |= {"httpsListenerArn": listener, "loadBalancerSecurityGroupId": group}
    for key in ("publicSubnetIds", "webAclArn"):
        del account.values[key]
    account.ids |= {"listener": listener, "certificate": certificate, "load balancer": balancer}
    return account


def ended(account: Account, check: str, status: Status, *said: str, subject: str = "existing listener") -> None:
    result = account.result(f"{subject}: {check}")
    text = f"{result.message} -> {result.remedy}"
    assert (result.status, [part for part in said if part not in text]) == (status, []), text


def add_rule(
    account: Account, priority: int, *hosts: str, actions: list[dict[str, Any]] | None = None, **tags: str
) -> None:
    conditions = (
        [{"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts)}}]
        if hosts
        else [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
    )
    made = account.client("elbv2").create_rule(
        ListenerArn=account.ids["listener"], Priority=priority, Conditions=conditions, Actions=actions or ELSEWHERE
    )
    if tags:
        account.client("elbv2").add_tags(
            ResourceArns=[made["Rules"][0]["RuleArn"]],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )


def test_a_listener_that_fits_passes(shared: Account) -> None:
    ended(shared, "fits", Status.OK, "shared, port 443")
    ended(shared, "certificate covers the host", Status.OK, "*.example.com covers atlantis.example.com")
    ended(shared, "priorities are free", Status.OK, f"{FIRST} to {FIRST + 127} are free")
    ended(shared, "rules of others", Status.OK, "no rule of others matches atlantis.example.com first")


def test_a_listener_that_is_missing_or_uses_http_fails(shared: Account) -> None:
    shared.altered[("elbv2", "describe_listeners")] = {"Listeners": {"Protocol": "HTTP"}}
    ended(shared, "fits", Status.FAILED, "the listener uses HTTP, not HTTPS")
    shared.altered.clear()
    shared.values["httpsListenerArn"] = f"{shared.values['httpsListenerArn'][:-1]}!".replace("!", "0")
    ended(shared, "fits", Status.FAILED, "does not exist", "correct httpsListenerArn")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"VpcId": "vpc-other"}, "and vpcId is"),
        ({"Scheme": "internal"}, "has internal, and loadBalancerScheme is internet-facing"),
        ({"IpAddressType": "dualstack"}, "has dualstack, and ipAddressType is ipv4"),
    ],
)
def test_a_load_balancer_that_differs_from_the_settings_fails(
    shared: Account, members: dict[str, str], said: str
) -> None:
    shared.altered[("elbv2", "describe_load_balancers")] = {"LoadBalancers": members}
    ended(shared, "fits", Status.FAILED, said)


def test_a_certificate_for_another_host_fails(shared: Account) -> None:
    shared.values["url"] = "https://atlantis.example.org"
    del shared.values["hostedZoneId"]
    ended(shared, "certificate covers the host", Status.FAILED, "none of which covers atlantis.example.org")


def test_priorities_that_others_use_fail_with_free_ones(shared: Account) -> None:
    add_rule(shared, FIRST + 96, "other.example.com")
    add_rule(shared, 130, "third.example.com")
    ended(shared, "priorities are free", Status.FAILED, f"use {FIRST + 96}", "set listenerRulePriority to 256")
    shared.values["listenerRulePriority"] = 256
    ended(shared, "priorities are free", Status.OK)


def test_rules_of_the_stack_itself_are_no_conflict(shared: Account) -> None:
    add_rule(shared, FIRST, "atlantis.example.com", Project="atlantis", Environment="prod", ManagedBy="pulumi")
    ended(shared, "priorities are free", Status.OK)
    ended(shared, "rules of others", Status.OK)


def test_a_rule_of_others_to_the_target_group_fails(shared: Account) -> None:
    balancers = shared.client("elbv2")
    vpc = balancers.describe_load_balancers()["LoadBalancers"][0]["VpcId"]
    group = balancers.create_target_group(
        Name="atlantis-prod-atlantis", Protocol="HTTP", Port=4141, VpcId=vpc, TargetType="ip"
    )
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}
    add_rule(shared, 20, "open.example.com", actions=[forward])
    ended(shared, "rules of others", Status.FAILED, "rule 20 of the listener forwards to atlantis-prod-atlantis")


@pytest.mark.parametrize("hosts", [(), ("*.example.com",), ("ATLANTIS.example.com",)])
def test_a_rule_that_takes_the_host_s_requests_first_is_a_warning(shared: Account, hosts: tuple[str, ...]) -> None:
    add_rule(shared, 30, *hosts)
    ended(shared, "rules of others", Status.WARNING, "rules 30 of others come first")


part_ended = functools.partial(ended, subject="existing parts")


def test_a_cluster_needs_the_capacity_provider_of_the_task(account: Account) -> None:
    account.values["clusterName"] = "platform"
    part_ended(account, "cluster", Status.FAILED, "the cluster platform does not exist")
    existing_ingress.cluster(account.aws, "platform")
    part_ended(account, "cluster", Status.OK, "platform with FARGATE")
    account.altered[("ecs", "describe_clusters")] = {"clusters": {"capacityProviders": ["ec2"]}}
    part_ended(account, "cluster", Status.FAILED, "has the capacity providers ec2, and capacityProvider is FARGATE")


def test_a_cluster_without_container_insights_is_a_warning(account: Account) -> None:
    account.values["clusterName"] = "platform"
    existing_ingress.cluster(account.aws, "platform")
    account.altered[("ecs", "describe_clusters")] = {"clusters": {"settings": []}}
    part_ended(account, "cluster", Status.WARNING, "Container Insights is off")


def test_a_security_group_that_is_open_to_everyone_is_a_warning(shared: Account) -> None:
    part_ended(shared, "load balancer's security group", Status.WARNING, "accepts HTTPS from 0.0.0.0/0")


def test_a_security_group_without_the_allowed_ranges_fails_unless_the_stack_extends_it(shared: Account) -> None:
    group = existing_ingress.security_group(shared.aws, "closed", shared.values["vpcId"])
    shared.values["loadBalancerSecurityGroupId"] = group
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "203.0.112.0/20"}]}
    shared.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    part_ended(
        shared,
        "load balancer's security group",
        Status.FAILED,
        "doesn't allow HTTPS from 198.51.100.32/28, 192.30.252.0/22",
        "set extendSecurityGroup to true",
    )
    shared.values["extendSecurityGroup"] = True
    part_ended(shared, "load balancer's security group", Status.OK, group)


def _key(account: Account, *services: str) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    statements = [statement | {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]
    statements += [statement | {"Principal": {"Service": service}} for service in services]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return account.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]


def test_a_key_needs_a_statement_for_cloudwatch_logs(account: Account) -> None:
    account.values["logKeyArn"] = _key(account, "logs.ap-northeast-2.amazonaws.com")
    part_ended(account, "key of the logs", Status.OK, "with logs.ap-northeast-2.amazonaws.com in its policy")
    account.values["logKeyArn"] = _key(account, "logs.us-east-1.amazonaws.com")
    part_ended(account, "key of the logs", Status.FAILED, "no statement for logs.ap-northeast-2.amazonaws.com")
    account.client("kms").disable_key(KeyId=account.values["logKeyArn"])
    part_ended(account, "key of the logs", Status.FAILED, "is Disabled")


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
    part_ended(account, "service registry", status, "atlantis" if status is Status.OK else "has SRV records")


def test_additional_policies_must_exist_and_should_not_allow_everything(account: Account) -> None:
    arn = "arn:aws:iam::123456789012:policy/buckets"
    account.values["additionalPolicyArns"] = [arn]
    part_ended(account, "additional policies", Status.FAILED, f"{arn} does not exist")
    for name, action, status in (("buckets", "s3:*", Status.OK), ("all", ["s3:*", "iam:*"], Status.WARNING)):
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        account.client("iam").create_policy(PolicyName=name, PolicyDocument=document)
        account.values["additionalPolicyArns"] = [f"arn:aws:iam::123456789012:policy/{name}"]
        part_ended(account, "additional policies", status, "allows iam:*" if status is Status.WARNING else "buckets")


def test_parameters_must_exist_and_should_be_encrypted(account: Account) -> None:
    account.values["secretEnvironment"] = ["TOKEN=ssm:/ci/token"]
    part_ended(account, "parameters", Status.FAILED, "the parameter /ci/token does not exist")
    ssm = account.client("ssm")
    ssm.put_parameter(Name="/ci/token", Value="x", Type="String")
    part_ended(account, "parameters", Status.WARNING, "is a String")
    ssm.put_parameter(Name="/ci/token", Value="x", Type="SecureString", Overwrite=True)
    part_ended(account, "parameters", Status.OK, "/ci/token")


def test_parameters_of_own_containers_must_exist_too(account: Account) -> None:
    arn = f"arn:aws:ssm:{account.aws.region}:{account.aws.account}:parameter/metrics"
    image = f"example/metrics@sha256:{'0a' * 32}"
    account.values["extraContainers"] = [{"name": "metrics", "image": image, "secrets": {"KEY": arn}}]
    part_ended(account, "parameters", Status.FAILED, "the parameter /metrics does not exist")
    account.client("ssm").put_parameter(Name="metrics", Value="x", Type="SecureString")
    part_ended(account, "parameters", Status.OK, "/metrics")
