"""The checks of an existing listener, each spoiled once."""

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


def ended(account: Account, check: str, status: Status, *said: str) -> None:
    result = account.result(f"existing listener: {check}")
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
