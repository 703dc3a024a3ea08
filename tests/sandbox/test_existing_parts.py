"""Stacks in existing parts on the real engine, with the policy pack: an existing cluster, load balancer and key, or no load balancer."""

from typing import Any

import pytest

from sandbox.testbed.local_aws.listener_rules import Request, decide, read_listeners
from tests.sandbox.existing_parts import PRIVATE, SHARED
from tests.sandbox.harness import Scratch, resource

OF_OFFICE, OF_GITHUB, OF_OTHERS = "192.0.2.9", "192.30.252.1", "198.51.100.7"


@pytest.fixture(scope="module")
def shared(module_scratch: Scratch) -> Scratch:
    """A stack in an existing cluster, behind an existing load balancer."""
    module_scratch.deployed(**SHARED)
    return module_scratch


def test_a_stack_owns_neither_cluster_nor_load_balancer_nor_key(shared: Scratch) -> None:
    sandbox = shared.sandbox(**SHARED)

    assert sandbox.compare().describe() == ""
    own = {item["type"] for item in sandbox.resources() if item.get("custom") and not item.get("external")}
    assert not own & {"aws:ecs/cluster:Cluster", "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"}
    service = sandbox.aws.client("ecs").describe_services(cluster="platform", services=["atlantis-local"])["services"][
        0
    ]
    (group,) = sandbox.aws.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/atlantis-local")["logGroups"]
    assert service["clusterArn"].endswith(":cluster/platform")
    assert group["kmsKeyId"] not in [
        item["outputs"].get("arn") for item in sandbox.resources() if "kms" in item["type"]
    ]


def test_the_listener_forwards_what_the_settings_allow_and_keeps_the_rules_of_others(shared: Scratch) -> None:
    sandbox = shared.sandbox(**SHARED)
    (listener,) = read_listeners(sandbox.aws.client("elbv2"), "shared")

    def asked(source: str, method: str = "GET", path: str = "/", **headers: str) -> int | None:
        request = Request(source, method, path, host="atlantis.example.com", headers=headers)
        return decide(listener, request).status

    assert asked(OF_OFFICE) is None
    assert asked(OF_GITHUB, "POST", "/events") is None
    assert asked(OF_GITHUB) == asked(OF_OTHERS) == asked(OF_OTHERS, "POST", "/events") == 403
    assert asked(OF_OFFICE, "POST", "/api/plan") == asked(OF_OFFICE, "POST", "/%61pi/plan") == 403
    assert asked(OF_OFFICE, "DELETE", "/locks", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert asked(OF_OFFICE, "DELETE", "/locks", **{"Sec-Fetch-Site": "same-site"}) == 403
    assert asked(OF_OFFICE, "DELETE", "/locks", **{"Sec-Fetch-Site": "same-origin"}) is None
    assert decide(listener, Request(OF_OFFICE, host="other.example.com")).priority == "10"
    assert decide(listener, Request(OF_OFFICE, host="third.example.com")).status == 404


def test_more_ranges_add_rules_and_extend_the_group_and_afterwards_both_are_as_they_were(shared: Scratch) -> None:
    ranges = [f"192.0.2.{number * 4}/30" for number in range(6)]
    # The pack allows the ranges of the stack file only.
    sandbox = shared.sandbox(pack=None, **SHARED, allowedCidrBlocks=ranges, extendSecurityGroup=True)
    elb, ec2, arn = (
        sandbox.aws.client("elbv2"),
        sandbox.aws.client("ec2"),
        sandbox.outputs()["atlantis_target_group_arn"],
    )
    rules_before, group_before = _rules(elb), _group_rules(ec2)

    sandbox.up()

    rules = _rules(elb)
    assert rules_before.items() <= rules.items()
    assert len(rules) == len(rules_before) + 1
    assert _group_rules(ec2) - group_before >= {(False, 443, ranges[0]), (False, 443, "192.30.252.0/22")}
    assert sandbox.outputs()["atlantis_target_group_arn"] == arn
    assert sandbox.compare().describe() == ""
    shared.sandbox(**SHARED).up()
    assert (_rules(elb), _group_rules(ec2)) == (rules_before, group_before)


def _rules(elb: Any) -> dict[str, str]:
    """The ARNs of the listener's rules by their priority."""
    (balancer,) = elb.describe_load_balancers(Names=["shared"])["LoadBalancers"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    return {
        rule["Priority"]: rule["RuleArn"] for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    }


def _group_rules(ec2: Any) -> set[tuple[Any, ...]]:
    """Direction, port and range of the rules of the load balancer's security group."""
    names = [{"Name": "group-name", "Values": ["substitute for sg-0a1b2c3d4e5f60718"]}]
    (group,) = ec2.describe_security_groups(Filters=names)["SecurityGroups"]
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    return {(rule["IsEgress"], rule.get("FromPort"), rule.get("CidrIpv4")) for rule in found["SecurityGroupRules"]}


def test_a_stack_without_a_load_balancer_registers_its_task_and_gets_one_later(scratch: Scratch) -> None:
    sandbox = scratch.deployed(**PRIVATE)

    assert sandbox.compare().describe() == ""
    assert sandbox.aws.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    service = resource(sandbox, "aws:ecs/service:Service")
    assert service["outputs"]["serviceRegistries"]["registryArn"] == PRIVATE["serviceRegistryArn"]
    assert sandbox.outputs()["atlantis_alb_dns_name"] == ""

    again = scratch.sandbox()
    again.up()

    assert resource(again, "aws:ecs/service:Service")["id"] == service["id"]
    assert again.compare().describe() == ""
