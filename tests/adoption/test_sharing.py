"""A neighbour's rules stay the neighbour's: what isn't Atlantis' own on its load balancer stops the adoption."""

from collections.abc import Callable
from typing import Any

import pytest

from adoption import files
from adoption.anatomy import AnatomyError
from tests.adoption.plans import plan
from tests.adoption.states import BALANCER, HTTPS, SHOP, TARGETS, State, add, find, rule, small_state, without

FORWARD = rule(100, SHOP)["action"]
PRIORITIES = (100, 101, 190, 200)
WEIGHTED = [{"type": "forward", "target_group_arn": "", "forward": [{"target_group": [{"arn": SHOP, "weight": 1}]}]}]


@pytest.mark.parametrize("action", [FORWARD, WEIGHTED], ids=["forward", "weighted"])
def test_a_rule_of_another_service_at_a_priority_of_the_program_stops_the_adoption(
    action: list[dict[str, Any]],
) -> None:
    state = small_state()
    for priority in PRIORITIES:
        add(
            state,
            f"aws_lb_listener_rule.api{priority}",
            rule(priority, SHOP) | {"action": action},
            module="module.shop",
        )
    found = plan(state)
    assert not [name for name in files.section(found.adopted)["import"] if name.startswith("ingress-webhook")]
    assert "ingress-cross-site" not in found.pairing.pairs
    (problem,) = found.problems
    assert "load balancer atlantis (module.atlantis.aws_lb.this) is shared" in problem
    for priority in PRIORITIES:
        name = f"module.shop.aws_lb_listener_rule.api{priority}"
        assert f"{name} (priority {priority} of port 443) leads to the target group shop-api" in problem


def _default_action(state: State) -> None:
    find(state, "aws_lb_listener.https")["default_action"] = FORWARD
    add(state, "aws_lb_listener_rule.atlantis", rule(50, TARGETS), module="module.atlantis")


def _another_port(state: State) -> None:
    listener = {"id": f"{HTTPS}x", "arn": f"{HTTPS}x", "load_balancer_arn": BALANCER, "port": 8443, "protocol": "HTTPS"}
    add(state, "aws_lb_listener.shop", listener | {"default_action": FORWARD})


def _maintenance_page(state: State) -> None:
    add(state, "aws_lb_listener_rule.closed", rule(7, ""))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            _default_action,
            "the default action of module.atlantis.aws_lb_listener.https (port 443) leads to the target group shop-api",
        ),
        (_another_port, "the default action of aws_lb_listener.shop (port 8443) leads to the target group shop-api"),
        (_maintenance_page, "aws_lb_listener_rule.closed (priority 7 of port 443) isn't of Atlantis' module"),
    ],
)
def test_anything_else_that_is_not_atlantis_own_stops_it_too(change: Callable[[State], None], says: str) -> None:
    state = small_state()
    change(state)
    (problem,) = plan(state).problems
    assert says in problem


def test_rules_of_atlantis_are_adopted_and_the_rest_of_them_is_to_be_deleted() -> None:
    state = small_state()
    add(state, "aws_lb_listener_rule.hooks", rule(100, TARGETS), module="module.elsewhere")
    add(state, "aws_lb_listener_rule.events", rule(50, TARGETS), module="module.atlantis")
    add(state, "aws_lb_listener_rule.closed", rule(60, ""), module="module.atlantis")
    found = plan(state)
    assert not found.problems
    assert found.pairing.pairs["ingress-webhook-0"].actual.address == "module.elsewhere.aws_lb_listener_rule.hooks"
    left = {actual.address: advice for actual, advice in found.left}
    for name, priority in (("events", 50), ("closed", 60)):
        advice = left[f"module.atlantis.aws_lb_listener_rule.{name}"]
        assert f"`aws elbv2 delete-rule --rule-arn {rule(priority, TARGETS)['arn']}`" in advice


def test_a_listener_of_another_state_is_named() -> None:
    state = without(small_state(), "aws_lb", "aws_lb_listener")
    add(state, "aws_lb_listener_rule.atlantis", rule(10, TARGETS))
    with pytest.raises(
        AnatomyError, match=r"aws_lb_listener_rule\.atlantis is a rule of the listener .*another state manages"
    ):
        plan(state)
