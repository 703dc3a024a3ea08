"""What stops an adoption, and the way out: each remedy that a problem names is applied as it is written, until nothing is left."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from adoption.anatomy import AnatomyError
from tests.adoption.plans import plan
from tests.adoption.states import (
    ALB,
    HTTPS,
    SHARED,
    SHOP,
    VPC,
    State,
    add,
    arn,
    changed_state,
    find,
    rule,
    shared_state,
    small_state,
    without,
)
from tests.adoption.test_rights import inline
from tests.adoption.test_rows import ROWS as CHANGED
from tests.adoption.test_task_inventory import _variable
from tests.adoption.test_vcs import RANGES, _server

_SETTING = re.compile(r"atlantis:(\w+) to (\S*[\w/])")


def _file_system(**attributes: Any) -> Callable[[State], None]:
    return lambda state: find(state, "aws_efs_file_system.this").update(attributes)


def _service(**attributes: Any) -> Callable[[State], None]:
    return lambda state: find(state, "aws_ecs_service.this").update(attributes)


def _rules_as_resources(state: State) -> None:
    find(state, "aws_security_group.tasks")["egress"] = []
    rule = {
        "id": "sgr-0aa0bb0cc0dd0ee57",
        "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee57",
        "from_port": 443,
        "to_port": 443,
    }
    rule |= {
        "security_group_id": find(state, "aws_security_group.tasks")["id"],
        "ip_protocol": "tcp",
        "cidr_ipv4": "0.0.0.0/0",
    }
    add(state, "aws_vpc_security_group_egress_rule.https", rule)


def _vpc(state: State) -> None:
    block = "10.0.0.0/16"
    vpc = {"id": VPC, "cidr_block": block, "cidr_block_associations": [{"cidr_block": block}]}
    add(state, "aws_vpc.atlantis", vpc, mode="data")


IN_TERRAFORM: tuple[tuple[str, Callable[[State], None]], ...] = (
    ("Restore an AWS Backup recovery point of it into an encrypted one", _file_system(encrypted=True)),
    ("Copy the data to one in mode generalPurpose", _file_system(performance_mode="generalPurpose")),
    ("Restore an AWS Backup recovery point of it into a regional", _file_system(availability_zone_name="")),
    ("Make it an aws_vpc_security_group_egress_rule in Terraform and import it there", _rules_as_resources),
    ('Add `data "aws_vpc" "atlantis"', _vpc),
    ("Give the service another name in Terraform, apply", _service(name="atlantis-server")),
)
"""What a message tells to do in Terraform, and what the state has afterwards."""


def _shared_cluster_of_one_name() -> State:
    state, own = shared_state(), arn("ecs", "cluster/atlantis")
    find(state, "aws_ecs_cluster.this").update(id=own, arn=own, name="atlantis")
    for service in ("this", "shop"):
        find(state, f"aws_ecs_service.{service}")["cluster"] = own
    return state


def _shared_listener() -> State:
    state = small_state()
    add(state, "aws_lb_listener_rule.api", rule(100, SHOP), module="module.shop")
    return state


def _self_hosted() -> State:
    return _server("GITLAB", "git.example.com/group/*", ATLANTIS_GITLAB_HOSTNAME="git.example.com")


ROWS: dict[str, tuple[State, dict[str, Any]]] = {
    **{name: (changed_state(row), {}) for name, row in CHANGED.items() if "remedied" in row},
    "variable": (_variable("ATLANTIS_AUTOMERGE", "true"), {}),
    "right": (inline("sqs:*"), {}),
    "own host": (_self_hosted(), {}),
    "shared listener": (_shared_listener(), {}),
    "shared load balancer and cluster": (shared_state(), {"hostedZoneId": SHARED["hostedZoneId"]}),
    "parts of another state": (without(shared_state(), "aws_lb", "aws_lb_listener", "aws_ecs_cluster"), {}),
    "cluster and service of one name": (
        _shared_cluster_of_one_name(),
        {"httpsListenerArn": HTTPS, "loadBalancerSecurityGroupId": ALB, "hostedZoneId": SHARED["hostedZoneId"]},
    ),
    "taken priority": (shared_state(), {**SHARED, "loadBalancerSecurityGroupId": ALB, "listenerRulePriority": 100}),
    "another cluster": (shared_state(), {**SHARED, "loadBalancerSecurityGroupId": ALB, "clusterName": "another"}),
    "another listener": (
        shared_state(),
        {**SHARED, "loadBalancerSecurityGroupId": ALB, "httpsListenerArn": f"{HTTPS[:-1]}0"},
    ),
}


def _problems(state: State, settings: dict[str, Any], accepted: tuple[str, ...]) -> list[str]:
    try:
        return plan(state, accepted=accepted, **settings).problems
    except AnatomyError as refused:
        return [str(refused)]


def _apply(problem: str, state: State, settings: dict[str, Any]) -> tuple[str, ...]:
    """Do what the message says; the parts whose loss it accepts."""
    settings |= dict(_SETTING.findall(problem))
    for name in re.findall(r"Remove atlantis:(\w+)", problem):
        settings.pop(name, None)
    if "set vcsWebhookCidrBlocks to the ranges of its webhooks" in problem:
        settings["vcsWebhookCidrBlocks"] = RANGES
        return ()
    for text, change in IN_TERRAFORM:
        if text in problem:
            change(state)
    return tuple(name for names in re.findall(r'ACCEPT_LOST="([^"]*)"', problem) for name in names.split())


@pytest.mark.parametrize("row", ROWS)
def test_what_the_messages_name_leads_to_an_adoption(row: str) -> None:
    state, settings = ROWS[row]
    accepted: tuple[str, ...] = ()
    found = _problems(state, settings, accepted)
    assert found
    for _ in range(4):
        before = found
        for problem in before:
            accepted += _apply(problem, state, settings)
        found = _problems(state, settings, accepted)
        assert not set(found) & set(before), "a remedy didn't help"
        if not found:
            return
    pytest.fail(f"still refused: {found}")
