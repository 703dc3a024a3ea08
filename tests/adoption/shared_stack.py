"""The small stack behind a load balancer and in a cluster that a shop uses too."""

import json
from collections.abc import Mapping
from typing import Any

from tests.adoption.small_stack import (
    ALB,
    BALANCER,
    HTTPS,
    PRIVATE,
    REGION,
    TARGETS,
    TASKS,
    VPC,
    arn,
    container,
    role_arn,
)
from tests.adoption.states import State, add, find, small_state

ZONE, HOST, BALANCER_ZONE = "Z0123456789ABCDEFGHIJ", "atlantis.example.org", "Z32O12XQLNTSW2"
SHOP = arn("elasticloadbalancing", "targetgroup/shop-api/0123456789abcdef")
PLATFORM = arn("ecs", "cluster/platform")
SHOP_TASK = arn("ecs", "task-definition/shop:3")
LISTENER = "module.platform.aws_lb_listener.https"
SHARED: Mapping[str, Any] = {"httpsListenerArn": HTTPS, "clusterName": "platform", "hostedZoneId": ZONE}
"""The settings with which the shared parts stay as they are."""
_OF_PLATFORM = ("aws_lb", "aws_lb_listener", "aws_ecs_cluster")


def rule(priority: int, target: str, **conditions: list[str]) -> dict[str, Any]:
    """A rule of the HTTPS listener, as the provider stores it. Empty `target`: a page that says 503."""
    identity = f"{HTTPS.replace(':listener/', ':listener-rule/')}/{priority:016x}"
    forward = [{"type": "forward", "order": 1, "target_group_arn": target, "forward": []}]
    page = [{"content_type": "text/plain", "message_body": "Closed", "status_code": "503"}]
    return {
        "id": identity,
        "arn": identity,
        "listener_arn": HTTPS,
        "priority": priority,
        "action": forward if target else [{"type": "fixed-response", "order": 1, "fixed_response": page}],
        "condition": [{name: [{"values": values}]} for name, values in conditions.items()],
    }


def shared_state() -> State:
    """Atlantis has two rules in the listener, among those of the shop: before, between and after them."""
    state = small_state()
    for entry in state["resources"]:
        entry["module"] = "module.platform" if entry["type"] in _OF_PLATFORM else entry["module"]
    text = json.dumps(state)
    for type_ in _OF_PLATFORM:
        text = text.replace(f"module.atlantis.{type_}.", f"module.platform.{type_}.")
    state = json.loads(text)
    find(state, "aws_ecs_cluster.this").update(id=PLATFORM, arn=PLATFORM, name="platform")
    find(state, "aws_ecs_service.this")["cluster"] = PLATFORM
    find(state, "aws_lb.this").update(name="front-door", vpc_id=VPC, zone_id=BALANCER_ZONE)
    missing = [{"content_type": "text/plain", "message_body": "No such service", "status_code": "404"}]
    find(state, "aws_lb_listener.https")["default_action"] = [{"type": "fixed-response", "fixed_response": missing}]
    for name, attributes in {
        "closed": rule(5, "", path_pattern=["/closed"]),
        "api": rule(100, SHOP, host_header=["shop.example.org"], path_pattern=["/api/*"]),
        "rest": rule(300, SHOP, path_pattern=["/*"]),
    }.items():
        of = (LISTENER, "module.shop.aws_lb_target_group.shop")
        add(state, f"aws_lb_listener_rule.{name}", attributes, module="module.shop", dependencies=of)
    hooks = rule(40, TARGETS, host_header=[HOST], path_pattern=["/events"])
    people = rule(200, TARGETS, host_header=[HOST], source_ip=["203.0.113.0/25", "203.0.113.128/25"])
    of = (LISTENER, "module.atlantis.aws_lb_target_group.this")
    add(state, "aws_lb_listener_rule.hooks", hooks, module="module.atlantis", dependencies=of)
    add(state, "aws_lb_listener_rule.people", people, module="module.atlantis", dependencies=of)
    alias = {"name": find(state, "aws_lb.this")["dns_name"], "zone_id": BALANCER_ZONE, "evaluate_target_health": True}
    record = {
        "id": f"{ZONE}_{HOST}_A",
        "zone_id": ZONE,
        "name": "atlantis",
        "fqdn": HOST,
        "type": "A",
        "alias": [alias],
    }
    add(state, "aws_route53_record.this", record, module="module.atlantis")
    _add_shop(state)
    return state


def _add_shop(state: State) -> None:
    """The other service: its target group, task, role with policies, and a rule of the load balancer's security group."""
    role, policy = "shop-tasks", {"Version": "2012-10-17", "Statement": []}
    trust = find(state, "aws_iam_role.tasks")["assume_role_policy"]
    for address, attributes in {
        "aws_lb_target_group.shop": find(state, "aws_lb_target_group.this")
        | {"id": SHOP, "arn": SHOP, "name": "shop-api"},
        "aws_iam_role.shop": {
            "id": role,
            "name": role,
            "arn": role_arn(role),
            "path": "/",
            "assume_role_policy": trust,
        },
        "aws_iam_role_policy.shop": {
            "id": f"{role}:all",
            "role": role,
            "name": "all",
            "policy": json.dumps(policy | {"Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}),
        },
        "aws_ecs_task_definition.shop": {
            "id": "shop",
            "arn": SHOP_TASK,
            "family": "shop",
            "revision": 3,
            "cpu": "256",
            "memory": "512",
            "network_mode": "awsvpc",
            "requires_compatibilities": ["FARGATE"],
            "execution_role_arn": role_arn(role),
            "container_definitions": container(name="shop", environment=[], secrets=[], mountPoints=[]),
        },
        "aws_ecs_service.shop": {
            "id": arn("ecs", "service/platform/shop"),
            "name": "shop",
            "cluster": PLATFORM,
            "task_definition": SHOP_TASK,
            "desired_count": 1,
            "launch_type": "FARGATE",
            "network_configuration": [{"subnets": PRIVATE, "security_groups": [TASKS], "assign_public_ip": False}],
            "scheduling_strategy": "REPLICA",
        },
        "aws_vpc_security_group_egress_rule.balancer": {
            "id": "sgr-0aa0bb0cc0dd0ee59",
            "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee59",
            "security_group_id": ALB,
            "ip_protocol": "-1",
            "cidr_ipv4": "0.0.0.0/0",
        },
    }.items():
        add(state, address, attributes, module="module.shop")


__all__ = ["BALANCER", "HTTPS", "REGION", "SHARED", "SHOP", "rule", "shared_state"]
