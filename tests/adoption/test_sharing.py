"""A neighbour's rules stay the neighbour's: what isn't Atlantis' own on its load balancer stops the adoption."""

from typing import Any

import pytest

from adoption import files
from tests.adoption.plans import plan
from tests.adoption.states import SHOP, add, rule, small_state

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
