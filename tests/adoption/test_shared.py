"""A load balancer and a cluster that others use too, beyond the rows of test_rows.yaml: the priorities of the program's rules."""

from typing import Any

import pytest

from adoption import files
from adoption.plan import Plan
from tests.adoption.plans import plan, proposed
from tests.adoption.states import SHARED, SHOP, State, add, find, rule, shared_state, small_state, without

PRIORITIES = (100, 101, 190, 200)
WEIGHTED = [{"type": "forward", "target_group_arn": "", "forward": [{"target_group": [{"arn": SHOP, "weight": 1}]}]}]


def _shared(state: State) -> Plan:
    return plan(state, **SHARED)


def test_nothing_of_others_is_adopted_also_if_its_parts_are_in_another_state() -> None:
    found = _shared(shared_state())
    others = {entry["name"] for entry in shared_state()["resources"] if entry["module"] != "module.atlantis"}
    assert not {item.pair.actual.address for item in found.adopted} & others
    assert {item.pair.actual.address for item in found.adopted} <= set(found.to_forget)
    elsewhere = _shared(without(shared_state(), "aws_lb", "aws_lb_listener", "aws_ecs_cluster"))
    assert files.section(elsewhere.adopted) == files.section(found.adopted)


def test_free_priorities_are_chosen_in_the_place_of_the_running_rules() -> None:
    found = _shared(shared_state())
    rules = [item for item in found.pairing.wanted.values() if item.type.endswith(":ListenerRule")]
    own = {item.inputs["priority"] for item in rules}
    assert not own & {5, 40, 100, 200, 300}
    assert proposed(found)["listenerRulePriority"] == min(own)
    # Before them come the rules that came before: the shop's rule for everything stays behind.
    assert max(own) < 100 or min(own) > 300


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


@pytest.mark.parametrize("action", [rule(100, SHOP)["action"], WEIGHTED], ids=["forward", "weighted"])
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
