"""The rows of the table: each value that changes, also those that only Terraform sets, and never a secret."""

from typing import Any

import pytest

from adoption.leaves import leaves, text
from tests.adoption.plans import adopted, plan
from tests.adoption.small_stack import TASK
from tests.adoption.states import add, find, small_state


def _rows(state: Any, name: str) -> dict[str, tuple[str, str]]:
    return {change.property: (change.old, change.new) for change in adopted(plan(state), name).changes}


def test_the_task_definition_is_always_a_change_because_the_program_registers_its_own() -> None:
    assert _rows(small_state(), "compute-service")["taskDefinition"] == (TASK[:57] + "...", "${compute-task.arn}")


def test_a_block_has_a_row_for_each_value_that_differs() -> None:
    rows = _rows(small_state(), "ingress-targets")
    assert rows["healthCheck.healthyThreshold"] == ("5", "2")
    assert rows["healthCheck.unhealthyThreshold"] == ("2", "3")
    assert "healthCheck.path" not in rows
    assert "healthCheck" not in rows


@pytest.mark.parametrize(
    ("address", "name", "attribute", "value", "row"),
    [
        ("aws_lb.this", "ingress-alb", "client_keep_alive", 7200, ("clientKeepAlive", "7200")),
        ("aws_lb.this", "ingress-alb", "enable_waf_fail_open", True, ("enableWafFailOpen", "true")),
        ("aws_lb_target_group.this", "ingress-targets", "slow_start", 60, ("slowStart", "60")),
    ],
)
def test_what_only_terraform_sets_is_a_change_to_the_provider_s_default(
    address: str, name: str, attribute: str, value: Any, row: tuple[str, str]
) -> None:
    state = small_state()
    find(state, address)[attribute] = value
    assert _rows(state, name)[row[0]] == (row[1], "none")


@pytest.mark.parametrize(
    ("attribute", "value"), [("client_keep_alive", 3600), ("enable_http2", True), ("enable_waf_fail_open", False)]
)
def test_a_default_is_no_change(attribute: str, value: Any) -> None:
    state = small_state()
    find(state, "aws_lb.this")[attribute] = value
    assert _rows(state, "ingress-alb") == _rows(small_state(), "ingress-alb")


@pytest.mark.parametrize(("strategy", "changes"), [({"base": 1}, True), ({"base": 0}, False), ({"weight": 2}, True)])
def test_a_default_strategy_is_compared_as_a_whole(strategy: dict[str, int], changes: bool) -> None:
    state = small_state()
    own = {"capacity_provider": "FARGATE", "weight": 1, "base": 0} | strategy
    capacity = {"id": "atlantis", "cluster_name": "atlantis", "capacity_providers": ["FARGATE", "FARGATE_SPOT"]}
    add(state, "aws_ecs_cluster_capacity_providers.this", capacity | {"default_capacity_provider_strategy": [own]})
    assert bool(_rows(state, "compute-capacity")) is changes


def test_documents_are_compared_by_their_parts() -> None:
    old = '{"Statement": [{"Sid": "a", "Effect": "Allow"}], "Version": "2012-10-17"}'
    new = '{"Statement": [{"Sid": "b", "Effect": "Allow"}], "Version": "2012-10-17"}'
    assert list(leaves("policy", old, new, str)) == [("policy.Statement.Sid", "a", "b")]


def test_no_value_of_a_secret_is_in_a_row() -> None:
    block = {"client_id": "atlantis", "client_secret": "hidden", "scope": ""}
    assert text(block) == '{"client_id": "atlantis", "client_secret": "(sensitive)"}'
    assert list(leaves("oidc", {"clientSecret": "hidden"}, {"clientSecret": "new"}, str)) == [
        ("oidc.clientSecret", "(sensitive)", "(sensitive)")
    ]
