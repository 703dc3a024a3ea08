"""A stack without a load balancer, input by input: who reaches the task, and what watches it."""

from typing import Any

from tests.unit.stacks import REDIS, stack

INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
SERVICE = "aws:ecs/service:Service"
REGISTRY = "arn:aws:servicediscovery:ap-northeast-2:123456789012:service/srv-abcdefgh12345678"
PRIVATE: dict[str, Any] = {
    "loadBalancerScheme": "none",
    "allowedCidrBlocks": ["10.20.0.0/16", "10.30.0.0/24"],
    "acmCertificateArn": None,
}


def test_no_resource_of_a_load_balancer_exists_and_its_outputs_are_empty() -> None:
    graph = stack(**PRIVATE)
    assert [
        each.type for each in graph.resources if each.type.startswith(("aws:lb/", "aws:acm/", "aws:route53/"))
    ] == []
    assert not {"ingress", "network-alb"} & {each.name for each in graph.resources}
    outputs = ("alb_dns_name", "alb_zone_id", "target_group_arn", "alb_security_group_id")
    assert [graph.outputs[f"atlantis_{name}"] for name in outputs] == [""] * 4
    assert graph.outputs["atlantis_webhook_url"] == "https://atlantis.example.com/events"


def test_the_allowed_ranges_reach_the_task_and_nothing_else_does() -> None:
    graph = stack(**PRIVATE, containerPort=8080)
    reached = [
        each.inputs for each in graph.all(INGRESS_RULE) if each.inputs["securityGroupId"] == "network-ecs-tasks-id"
    ]
    assert [(each["cidrIpv4"], each["fromPort"], each["toPort"]) for each in reached] == [
        ("10.20.0.0/16", 8080, 8080),
        ("10.30.0.0/24", 8080, 8080),
    ]


def test_the_service_has_no_target_group_and_registers_where_a_setting_says() -> None:
    plain = stack(**PRIVATE).one(SERVICE).inputs
    assert plain["loadBalancers"] == []
    assert not {"healthCheckGracePeriodSeconds", "serviceRegistries"} & plain.keys()
    assert stack(**PRIVATE, serviceRegistryArn=REGISTRY).one(SERVICE).inputs["serviceRegistries"] == {
        "registryArn": REGISTRY
    }


def test_with_a_database_a_deployment_overlaps_here_too() -> None:
    service = stack(**PRIVATE, **REDIS).one(SERVICE).inputs
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (100, 200)


def test_an_alarm_tells_that_no_task_runs() -> None:
    graph = stack(**PRIVATE, alarmTopicArns=["arn:aws:sns:ap-northeast-2:123456789012:on-call"])
    alarms = {each.name: each.inputs for each in graph.all("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert sorted(alarms) == ["alarms-burst-credits", "alarms-memory", "alarms-unreachable"]
    unreachable = alarms["alarms-unreachable"]
    assert [unreachable[key] for key in ("namespace", "metricName", "statistic", "threshold", "treatMissingData")] == [
        "AWS/ECS",
        "CPUUtilization",
        "SampleCount",
        1,
        "breaching",
    ]
    assert unreachable["dimensions"] == {"ClusterName": "atlantis-prod", "ServiceName": "atlantis-prod"}


def test_the_dashboard_shows_no_load_balancer() -> None:
    body = stack(**PRIVATE).one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]
    assert "ApplicationELB" not in body
    assert "AWS/EFS" in body


def test_the_preview_says_what_the_stack_cannot_guarantee() -> None:
    told = [line for line in stack(**PRIVATE).warnings if "loadBalancerScheme none" in line]
    assert len(told) == 3
    assert any("reach every path of the server over HTTP" in line for line in told)
    registered = stack(**PRIVATE, serviceRegistryArn=REGISTRY).warnings
    assert len([line for line in registered if "loadBalancerScheme none" in line]) == 2
