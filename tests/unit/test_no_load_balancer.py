"""A stack without a load balancer: who reaches the task, and what watches it."""

from typing import Any

from tests.unit.stacks import stack

INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
REGISTRY = "arn:aws:servicediscovery:ap-northeast-2:123456789012:service/srv-abcdefgh12345678"
PRIVATE: dict[str, Any] = {
    "loadBalancerScheme": "none",
    "allowedCidrBlocks": ["10.20.0.0/16", "10.30.0.0/24"],
    "acmCertificateArn": None,
}


def test_the_allowed_ranges_reach_the_task_and_nothing_else_does() -> None:
    graph = stack(**PRIVATE, containerPort=8080)
    reached = [
        each.inputs for each in graph.all(INGRESS_RULE) if each.inputs["securityGroupId"] == "network-ecs-tasks-id"
    ]
    assert [(each["cidrIpv4"], each["fromPort"], each["toPort"]) for each in reached] == [
        ("10.20.0.0/16", 8080, 8080),
        ("10.30.0.0/24", 8080, 8080),
    ]


def test_the_preview_says_what_the_stack_cannot_guarantee() -> None:
    warnings = [line for line in stack(**PRIVATE).warnings if "loadBalancerScheme none" in line]
    assert len(warnings) == 3
    assert any("reach every path of the server over HTTP" in line for line in warnings)
    registered = stack(**PRIVATE, serviceRegistryArn=REGISTRY).warnings
    assert len([line for line in registered if "loadBalancerScheme none" in line]) == 2
