"""A load balancer and a cluster that others use too: with their settings they stay as they are, and Atlantis' own parts are adopted."""

from typing import Any

import pytest

from adoption import files
from adoption.anatomy import AnatomyError
from adoption.plan import Plan
from tests.adoption.plans import adopted, plan, proposed
from tests.adoption.states import (
    ALB,
    BALANCER,
    HTTPS,
    SHARED,
    SHOP,
    TARGETS,
    State,
    add,
    arn,
    find,
    rule,
    shared_state,
    without,
)

OWN = {"ingress-webhook-0": 40, "ingress-allowed-0": 200}
GROUP: dict[str, Any] = {"loadBalancerSecurityGroupId": ALB}


def _shared(state: State | None = None, **settings: Any) -> Plan:
    return plan(state or shared_state(), **{**SHARED, **settings})


def _priorities(found: Plan) -> set[int]:
    return {item.inputs["priority"] for item in found.pairing.wanted.values() if item.type.endswith(":ListenerRule")}


@pytest.mark.parametrize("isolation", ["none", "tasks"])
def test_with_the_settings_nothing_of_others_is_adopted_and_all_that_is_atlantis_own_is(isolation: str) -> None:
    found = _shared(terraformIsolation=isolation)
    assert found.problems == []
    section = files.section(found.adopted)["import"]
    assert {section["ingress-webhook-0"], section["ingress-allowed-0"]} == {
        rule(priority, TARGETS)["arn"] for priority in OWN.values()
    }
    assert section["compute-service"] == "platform/atlantis"
    assert (section["storage-efs"], section["storage-access-point"]) == (
        "fs-0aa0bb0cc0dd0ee41",
        "fsap-0aa0bb0cc0dd0ee42",
    )
    assert section["ingress-alias-a"].endswith("_atlantis.example.org_A")
    assert section["network-alb-to-tasks-ingress"] == "sgr-0aa0bb0cc0dd0ee53"
    assert not {"ingress-alb", "ingress-https", "ingress-http", "network-alb", "compute-cluster"} & section.keys()
    assert not {item.pair.actual.address for item in found.adopted} & {
        entry["name"] for entry in shared_state()["resources"] if entry["module"] != "module.atlantis"
    }


def test_the_running_rules_become_those_for_the_same_requests() -> None:
    found = _shared()
    for name, priority in OWN.items():
        pair = adopted(found, name).pair
        assert pair.actual.attributes["priority"] == priority
        assert "priority" in {change.property for change in adopted(found, name).changes}


def test_what_is_of_others_stays_in_terraform_and_in_aws() -> None:
    found = _shared()
    advice = {actual.address: text for actual, text in found.left}
    others = {
        *(f"module.platform.{name}" for name in ("aws_lb.this", "aws_lb_listener.https", "aws_ecs_cluster.this")),
        *(f"module.shop.aws_lb_listener_rule.{name}" for name in ("closed", "api", "rest")),
        *(f"module.shop.{name}" for name in ("aws_iam_role.shop", "aws_iam_role_policy.shop", "aws_ecs_service.shop")),
        *("module.shop.aws_ecs_task_definition.shop", "module.shop.aws_vpc_security_group_egress_rule.balancer"),
        *("module.atlantis.aws_security_group.alb", "module.atlantis.aws_vpc_security_group_ingress_rule.alb_https"),
    }
    assert {advice[address] for address in others} == {"Not part of the adopted Atlantis: keep it"}
    assert not others & set(found.to_forget)
    assert {item.pair.actual.address for item in found.adopted} <= set(found.to_forget)


def test_the_settings_of_the_load_balancer_are_its_own() -> None:
    own: dict[str, Any] = {
        "acmCertificateArn": arn("acm", "certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        "sslPolicy": "",
    }
    found = _shared(**own)
    assert proposed(found)["loadBalancerSecurityGroupId"] == ALB
    assert (proposed(found)["acmCertificateArn"], proposed(found)["baseName"]) == (None, "atlantis")
    assert proposed(found)["allowedCidrBlocks"] == ["203.0.113.0/25", "203.0.113.128/25"]
    assert "publicSubnetIds" not in found.settings


def test_ranges_of_the_security_group_count_where_the_rules_have_none() -> None:
    state = shared_state()
    people = next(item for item in state["resources"] if item["name"] == "people")
    people["instances"][0]["attributes"]["condition"] = []
    assert proposed(_shared(state))["allowedCidrBlocks"] == ["203.0.113.0/24"]


def test_free_priorities_are_chosen_in_the_place_of_the_running_rules() -> None:
    found = _shared()
    first = proposed(found)["listenerRulePriority"]
    taken = {5, 40, 100, 200, 300}
    assert not _priorities(found) & taken
    assert first == min(_priorities(found))
    # Before them come the rules that came before: the shop's rule for everything stays behind.
    assert max(_priorities(found)) < 100 or min(_priorities(found)) > 300
    state = shared_state()
    for hosts, named in (
        (["shop.example.org"], "aws_lb_listener_rule.rest (priority 300)"),
        ([], "aws_lb_listener_rule.api (priority 100), module.shop.aws_lb_listener_rule.rest (priority 300)"),
        (
            ["*.EXAMPLE.org"],
            "aws_lb_listener_rule.api (priority 100), module.shop.aws_lb_listener_rule.rest (priority 300)",
        ),
    ):
        find(state, "aws_lb_listener_rule.api")["condition"][0]["host_header"] = [{"values": hosts}] if hosts else []
        (narrow,) = [note for note in _shared(state).notes if "come before Atlantis'" in note]
        assert (
            f"they didn't: module.shop.{named}. Let their host-header condition exclude atlantis.example.org" in narrow
        )


@pytest.mark.parametrize(
    ("own", "others", "first"),
    [
        ((40, 60), (), None),  # the default is free, and nobody is in between
        ((40, 60), (1000,), 61),  # right behind the running ones
        ((40, 60), (20, 150, 900), 151),  # one rule of others comes to be first, not two
        ((400, 410), (150, 420, 600), 151),  # in front of the running ones, where nobody is in between
        ((40, 200), (210,), 41),
    ],
)
def test_priorities_go_where_the_fewest_rules_of_others_come_to_be_first(
    own: tuple[int, int], others: tuple[int, ...], first: int | None
) -> None:
    state = shared_state()
    state["resources"] = [item for item in state["resources"] if item["name"] not in ("closed", "api", "rest")]
    for name, priority in zip(("hooks", "people"), own, strict=True):
        find(state, f"aws_lb_listener_rule.{name}")["priority"] = priority
    for priority in others:
        add(state, f"aws_lb_listener_rule.n{priority}", rule(priority, SHOP, path_pattern=["/*"]), module="module.shop")
    found = _shared(state)
    assert proposed(found).get("listenerRulePriority") == first
    assert not found.problems


def test_a_default_action_that_leads_to_atlantis_is_named() -> None:
    state = shared_state()
    find(state, "aws_lb_listener.https")["default_action"] = [{"type": "forward", "target_group_arn": TARGETS}]
    found = _shared(state)
    assert not found.problems
    assert any(
        "The default action of module.platform.aws_lb_listener.https leads to Atlantis" in n for n in found.notes
    )
    assert not any("default action" in note for note in _shared().notes)


def test_the_sign_in_of_another_service_s_default_action_is_not_atlantis() -> None:
    state = shared_state()
    provider = {"issuer": "https://login.example.com", "client_id": "shop"}
    find(state, "aws_lb_listener.https")["default_action"] = [
        {"type": "authenticate-oidc", "authenticate_oidc": [provider]},
        {"type": "forward", "target_group_arn": SHOP},
    ]
    assert "oidcIssuer" not in proposed(_shared(state))


def _of_another_state() -> State:
    """The load balancer and the cluster are in another state, which this one doesn't read."""
    return without(shared_state(), "aws_lb", "aws_lb_listener", "aws_ecs_cluster")


def test_parts_of_another_state_are_proposed_and_then_stay_there() -> None:
    state = _of_another_state()
    with pytest.raises(AnatomyError, match=rf"Set atlantis:httpsListenerArn to {HTTPS} and .*SecurityGroupId to {ALB}"):
        plan(state)
    with pytest.raises(AnatomyError, match="set atlantis:clusterName to platform"):
        plan(state, httpsListenerArn=HTTPS, **GROUP)
    found = _shared(state)
    assert not found.problems
    assert files.section(found.adopted) == files.section(_shared().adopted)
    assert not adopted(found, "ingress-alias-a").changes


def test_a_load_balancer_that_a_data_source_reads_is_known() -> None:
    state = _of_another_state()
    attributes = {"id": BALANCER, "arn": BALANCER, "name": "front-door", "vpc_id": "vpc-0aa0bb0cc0dd0ee01"}
    add(state, "aws_lb.shared", attributes | {"security_groups": [ALB], "internal": True}, mode="data")
    found = _shared(state)
    assert any("loadBalancerScheme = 'internal'" in note for note in found.notes)
