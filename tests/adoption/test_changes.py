"""How values of a state are compared with the program's, and the rows of the table: each value that changes, and never a secret."""

from typing import Any

import pytest

from adoption.changes import NOT_IN_STATE
from adoption.leaves import leaves, text
from adoption.pairing import _plain
from adoption.properties import MISSING, attribute, same, snake
from tests.adoption.plans import adopted, plan
from tests.adoption.states import TASK, add, find, role_arn, small_state

EXECUTE = [{"execute_command_configuration": [{"kms_key_id": "", "log_configuration": [], "logging": "DEFAULT"}]}]
EXECUTE_SHOWN = '{"executeCommandConfiguration": {"logging": "DEFAULT"}}'


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
        ("aws_lb.this", "ingress-alb", "client_keep_alive", 7200, ("clientKeepAlive", "7200", "3600")),
        ("aws_lb.this", "ingress-alb", "enable_waf_fail_open", True, ("enableWafFailOpen", "true", "false")),
        ("aws_lb_target_group.this", "ingress-targets", "slow_start", 60, ("slowStart", "60", "0")),
        ("aws_ecs_cluster.this", "compute-cluster", "configuration", EXECUTE, ("configuration", EXECUTE_SHOWN, "none")),
    ],
)
def test_what_only_terraform_sets_is_a_change_to_the_provider_s_default(
    address: str, name: str, attribute: str, value: Any, row: tuple[str, str]
) -> None:
    state = small_state()
    find(state, address)[attribute] = value
    assert _rows(state, name)[row[0]] == row[1:]


def test_the_session_duration_of_an_adopted_role_becomes_the_default() -> None:
    name, state = "atlantis-ecs-task-prod", small_state()
    role = {"id": name, "name": name, "arn": role_arn(name), "max_session_duration": 7200}
    find(state, "aws_iam_role.tasks").update(role)
    find(state, "aws_ecs_task_definition.this")["task_role_arn"] = role_arn(name)
    assert _rows(state, "permissions-task-role")["maxSessionDuration"] == ("7200", "3600")


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


def test_no_value_of_a_secret_is_in_a_row_and_names_are_in_pulumi_s_spelling() -> None:
    block = {"client_id": "atlantis", "client_secret": "hidden", "scope": ""}
    assert text(block) == '{"clientId": "atlantis", "clientSecret": "(sensitive)"}'
    assert list(leaves("oidc", {"clientSecret": "hidden"}, {"clientSecret": "new"}, str)) == [
        ("oidc.clientSecret", "(sensitive)", "(sensitive)")
    ]


def _of_targets(**attributes: Any) -> dict[str, tuple[str, str]]:
    state = small_state()
    find(state, "aws_lb_target_group.this").update(attributes)
    return _rows(state, "ingress-targets")


def test_each_tag_that_differs_has_a_row_also_one_that_the_program_removes() -> None:
    rows = _of_targets(tags={"Team": "other", "CostCenter": "1", "Project": "atlantis"})
    assert (rows["tags.Team"], rows["tags.CostCenter"]) == (("other", "platform"), ("1", "none"))
    assert "tags.Project" not in rows


def test_default_tags_of_terraform_s_provider_are_tags_that_the_resource_has() -> None:
    rows = _of_targets(tags={}, tags_all={"Stage": "live"})
    assert rows["tags.Stage"] == ("live", "none")


def test_equal_tags_are_no_change() -> None:
    own = {row: new for row, (_, new) in _of_targets(tags={"a": "b"}).items() if row.startswith("tags.")}
    equal = {row.removeprefix("tags."): new for row, new in own.items() if new != "none"}
    assert not [row for row in _of_targets(tags=equal) if row.startswith("tags")]


@pytest.mark.parametrize("value", [True, False, None])
def test_what_aws_does_not_return_is_set_again(value: bool | None) -> None:
    state = small_state()
    find(state, "aws_ecs_service.this")["force_new_deployment"] = value
    assert _rows(state, "compute-service")["forceNewDeployment"] == ("none", "true")


@pytest.mark.parametrize(("value", "old"), [("", NOT_IN_STATE), (None, NOT_IN_STATE), ("ENABLED", "ENABLED")])
def test_an_empty_value_that_aws_chooses_is_not_taken_for_none(value: Any, old: str) -> None:
    state = small_state()
    find(state, "aws_ecs_service.this")["availability_zone_rebalancing"] = value
    assert _rows(state, "compute-service")["availabilityZoneRebalancing"] == (old, "DISABLED")


def test_what_the_state_s_provider_did_not_store_has_a_row() -> None:
    state = small_state()
    assert _rows(state, "ingress-alb")["idleTimeout"] == (NOT_IN_STATE, "3600")
    find(state, "aws_lb.this")["idle_timeout"] = 3600
    assert "idleTimeout" not in _rows(state, "ingress-alb")


def test_a_block_that_is_switched_off_is_no_change() -> None:
    state = small_state()
    find(state, "aws_lb.this")["connection_logs"] = [{"bucket": "", "enabled": False, "prefix": ""}]
    assert "connectionLogs" not in _rows(state, "ingress-alb")
    find(state, "aws_lb.this")["connection_logs"] = [{"bucket": "b", "enabled": True, "prefix": ""}]
    assert _rows(state, "ingress-alb")["connectionLogs"] == ('{"bucket": "b", "enabled": true}', "none")


@pytest.mark.parametrize(
    ("name", "attributes", "found"),
    [
        ("aliases", {"alias": [1]}, [1]),
        ("policies", {"policy": [1]}, [1]),
        ("subnets", {"subnets": [1], "subnet": [2]}, [1]),
        ("conditions", {"condition": [1]}, [1]),
        ("accessLogs", {"access_logs": [1]}, [1]),
        ("kmsKeyId", {"kms_key": 1}, MISSING),
    ],
)
def test_an_attribute_is_found_in_terraform_s_spelling(name: str, attributes: dict[str, object], found: object) -> None:
    assert attribute(attributes, name) is found or attribute(attributes, name) == found


def test_a_name_is_converted_at_each_capital() -> None:
    assert snake("enableEcsManagedTags") == "enable_ecs_managed_tags"


@pytest.mark.parametrize("unset", [None, "", [], {}, False, 0])
def test_what_is_not_set_equals_terraform_s_zero_values_and_a_missing_attribute(unset: object) -> None:
    assert same(unset, MISSING, str)
    assert same(unset, None, str)
    assert same(unset, "", str)
    if unset != {}:  # a block whose properties the program doesn't set equals any
        assert not same(unset, "x", str)


def test_what_is_set_does_not_equal_a_missing_attribute() -> None:
    assert not same("x", MISSING, str)
    assert not same({"a": 1}, MISSING, str)


def test_a_key_has_the_zero_that_terraform_stores_for_an_unset_port_and_no_other() -> None:
    assert {_plain(value) for value in (None, MISSING, 0, "0")} == {""}
    assert (_plain("-1"), _plain(443), _plain("443")) == ("-1", "443", "443")
