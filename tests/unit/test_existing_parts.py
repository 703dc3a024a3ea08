"""An existing listener, cluster and key of the logs, which replace the stack's, and a stack without a load balancer."""

from typing import Any

import pulumi
import pytest

from components.ingress.existing_listener import first_priority
from components.names import PhysicalNames
from components.settings.groups import ExistingArgs
from tests.unit.existing_parts import EXISTING_GROUP, EXISTING_LISTENER, EXISTING_VPC
from tests.unit.recording import Graph
from tests.unit.stacks import stack

RULE = "aws:lb/listenerRule:ListenerRule"
INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
SHARED: dict[str, Any] = {
    "vpcId": EXISTING_VPC["vpcId"],
    "privateSubnetIds": EXISTING_VPC["privateSubnetIds"],
    "acmCertificateArn": None,
    "httpsListenerArn": EXISTING_LISTENER,
    "loadBalancerSecurityGroupId": EXISTING_GROUP,
}
FIRST = first_priority(
    ExistingArgs(), PhysicalNames(environment="prod", account="1", region="ap-northeast-2", partition="aws")
)


def rules(graph: Graph) -> list[dict[str, Any]]:
    return sorted((each.inputs for each in graph.all(RULE)), key=lambda inputs: inputs["priority"])


def test_many_ranges_stay_within_the_condition_values_of_a_rule_and_the_priorities_of_the_stack() -> None:
    ranges = [f"198.51.100.{number}/32" for number in range(0, 60)]
    found = rules(
        stack(**SHARED, allowedCidrBlocks=ranges, githubWebhookCidrBlocks=[f"192.0.2.{n}/32" for n in range(60)])
    )
    values = [
        [value for condition in each["conditions"] for kind in condition.values() for value in kind["values"]]
        for each in found
    ]
    assert max(map(len, values)) == 5
    priorities = [each["priority"] for each in found]
    assert (len(set(priorities)), min(priorities), max(priorities)) == (len(found), FIRST, FIRST + 127)


def test_a_given_priority_is_the_first_one() -> None:
    assert rules(stack(**SHARED, listenerRulePriority=300))[0]["priority"] == 300


@pytest.mark.parametrize("environment", ["prod", "dev", "a", "e" * 14])
def test_the_default_priorities_follow_from_the_names_alone(environment: str) -> None:
    names = [
        PhysicalNames(environment=environment, account=account, region=region, partition="aws")
        for account, region in (("1", "eu-west-1"), ("2", "us-east-1"))
    ]
    first, again = (first_priority(ExistingArgs(), each) for each in names)
    assert first == again
    assert first % 128 == 0
    assert 1024 <= first <= 50_000 - 127


def test_two_environments_do_not_get_the_same_priorities() -> None:
    found = {
        first_priority(
            ExistingArgs(), PhysicalNames(environment=name, account="1", region="eu-west-1", partition="aws")
        )
        for name in ("dev", "stage", "prod", "sandbox")
    }
    assert len(found) == 4


def of_group(graph: Graph, kind: str) -> list[tuple[str, int, str]]:
    """Name, port and peer of the rules of the existing security group."""
    return sorted(
        (each.name, each.inputs["fromPort"], each.inputs.get("cidrIpv4") or each.inputs["referencedSecurityGroupId"])
        for each in graph.all(kind)
        if each.inputs["securityGroupId"] == EXISTING_GROUP
    )


def test_an_extended_security_group_gets_https_and_the_port_of_the_task_but_no_port_80() -> None:
    graph = stack(**SHARED, extendSecurityGroup=True)
    assert of_group(graph, INGRESS_RULE) == [
        ("network-alb-https-from-203.0.113.0/24", 443, "203.0.113.0/24"),
        *(
            (f"network-alb-webhook-from-{block}", 443, block)
            for block in sorted(["192.30.252.0/22", "185.199.108.0/22", "140.82.112.0/20", "143.55.64.0/20"])
        ),
    ]
    assert of_group(graph, EGRESS_RULE) == [("network-alb-to-tasks-egress", 4141, "network-ecs-tasks-id")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"httpsListenerArn": EXISTING_LISTENER.replace("/shared/", "/http/")}, "uses HTTP, not HTTPS"),
        ({"httpsListenerArn": EXISTING_LISTENER.replace("/shared/", "/elsewhere/")}, "is in vpc-other, not in vpcId"),
        (
            {"loadBalancerSecurityGroupId": "sg-0a1b2c3d4e5f60719"},
            f"isn't a security group of the load balancer shared, which has {EXISTING_GROUP}",
        ),
    ],
)
def test_a_listener_that_does_not_fit_fails_the_run(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        stack(**SHARED | changes)
    assert said in str(refused.value)
