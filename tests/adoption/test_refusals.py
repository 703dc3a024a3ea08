"""What stands in the way of an adoption: replacements, and states that aren't one whole stack of the right place."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from adoption.anatomy import AnatomyError
from adoption.plan import make_plan
from tests.adoption.plans import plan
from tests.adoption.states import (
    ACCOUNT,
    FILE_SYSTEM,
    REGION,
    SETTINGS,
    TASKS,
    State,
    find,
    small_state,
    without,
    write,
)

_RULE = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"], "security_groups": []}
_SYSTEM, _SERVICE = "aws_efs_file_system.this", "aws_ecs_service.this"

REPLACED: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        _SYSTEM,
        {"encrypted": False},
        "encrypted of module.atlantis.aws_efs_file_system.this is false, and true would replace",
    ),
    (_SYSTEM, {"performance_mode": "maxIO"}, "performanceMode of module.atlantis.aws_efs_file_system.this is maxIO"),
    (_SYSTEM, {"availability_zone_name": "eu-west-1a"}, "efs_file_system.this is a One Zone file system of eu-west-1a"),
    (
        _SERVICE,
        {"launch_type": "EC2", "capacity_provider_strategy": []},
        "service.launch_type: the program's task runs on Fargate, not on EC2",
    ),
    (
        _SERVICE,
        {"capacity_provider_strategy": [{"capacity_provider": "spot-fleet"}]},
        "service.capacity_provider: the program's task runs on Fargate, not on spot-fleet",
    ),
    ("aws_security_group.tasks", {"egress": [_RULE]}, f"network-tasks-https-egress: {TASKS} has this rule already"),
)
"""Attributes of a resource that would replace it, and a part of the problem."""


@pytest.mark.parametrize(("address", "attributes", "says"), REPLACED)
def test_a_replacement_is_a_problem_with_a_way_out(address: str, attributes: dict[str, Any], says: str) -> None:
    state = small_state()
    find(state, address).update(attributes)
    (problem,) = plan(state).problems
    assert says in problem


def _private_registry(state: State) -> None:
    for entry in state["resources"]:
        entry["provider"] = 'provider["registry.example.com/platform/aws"]'


def _task_as_data(state: State) -> None:
    (task,) = (entry for entry in state["resources"] if entry["type"] == "aws_ecs_task_definition")
    task["mode"] = "data"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            _private_registry,
            "`terraform state replace-provider registry.example.com/platform/aws registry.terraform.io/hashicorp/aws`",
        ),
        (
            _task_as_data,
            "runs a task definition that the state has as a data source only (module.atlantis.data.aws_ecs_task",
        ),
    ],
)
def test_an_atlantis_that_cannot_be_read_is_named_with_what_to_do(change: Callable[[State], None], says: str) -> None:
    state = small_state()
    change(state)
    with pytest.raises(AnatomyError) as refused:
        plan(state)
    assert says in str(refused.value)


def test_the_addresses_of_providers_that_terraform_0_12_wrote_are_understood() -> None:
    state = small_state()
    for number, entry in enumerate(state["resources"]):
        entry["provider"] = ("provider.aws", "provider.aws.main", "module.atlantis.provider.aws")[number % 3]
    assert len(plan(state).adopted) == len(plan(small_state()).adopted)


def test_another_revision_than_the_state_s_is_noted() -> None:
    state = small_state()
    service = find(state, "aws_ecs_service.this")
    service["task_definition"] = service["task_definition"].replace(":12", ":13")
    (note,) = [note for note in plan(state).notes if "which this report calls the running one" in note]
    assert "task-definition/atlantis:13, and the state has" in note
    service["task_definition"] = "atlantis:12"
    assert not [note for note in plan(state).notes if "which this report calls the running one" in note]


def test_a_scheme_that_the_settings_refuse_is_reported_and_would_replace_the_load_balancer() -> None:
    state = small_state()
    find(state, "aws_lb.this")["internal"] = True
    found = plan(state, publicSubnetIds=["subnet-0aa0bb0cc0dd0ee11", "subnet-0aa0bb0cc0dd0ee12"])
    assert any("only private ranges can reach an internal load balancer" in note for note in found.notes)
    (problem,) = found.problems
    assert "internal of module.atlantis.aws_lb.this is true, and false would replace" in problem
    assert "Set atlantis:loadBalancerScheme to internal" in problem


def test_a_boundary_of_another_account_is_refused() -> None:
    boundary = "arn:aws:iam::999999999999:policy/boundary"
    with pytest.raises(
        pulumi.RunError, match=f"{boundary}': must be in the account of the other ARNs, {ACCOUNT}, not in 999999999999"
    ):
        plan(small_state(), permissionsBoundaryArn=boundary)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (without(small_state(), "aws_ecs_service"), "is an ECS service whose task runs Atlantis"),
        (without(small_state(), "aws_ecs_task_definition"), "is an ECS service whose task runs Atlantis"),
        (without(small_state(), "aws_efs_file_system"), f"half of a stack: .* runs on the file system {FILE_SYSTEM}"),
        (without(small_state(), "aws_lb", "aws_ecs_cluster"), "runs on the cluster .*, the load balancer"),
        (without(small_state(), "aws_iam_role"), "the execution role .*, the task role"),
    ],
)
def test_half_a_stack_is_refused(state: State, says: str) -> None:
    with pytest.raises(AnatomyError, match=says):
        plan(state)


def test_a_mount_target_without_a_known_zone_is_a_problem() -> None:
    state = small_state()
    for entry in state["resources"]:
        for instance in entry["instances"]:
            instance["attributes"] = {
                name: value
                for name, value in instance["attributes"].items()
                if not name.startswith("availability_zone")
            }
    problems = plan(state).problems
    assert [problem.partition(" after its zone")[0] for problem in problems] == [
        f"storage-mount-target: the program names the mount target of subnet-0aa0bb0cc0dd0ee2{number}"
        for number in (1, 2)
    ]
    assert all("Run `terraform apply -refresh-only`, and pull the state again" in problem for problem in problems)


def test_two_stacks_are_refused_by_name() -> None:
    state = small_state()
    for type_ in ("aws_ecs_service", "aws_ecs_task_definition"):
        entry = json.loads(json.dumps(next(item for item in state["resources"] if item["type"] == type_)))
        entry["module"] = "module.staging"
        entry["instances"][0]["attributes"]["name"] = "atlantis-staging"
        state["resources"].append(entry)
    with pytest.raises(
        AnatomyError, match=r"holds 2 Atlantis stacks: atlantis \(.*\), atlantis-staging \(module\.staging"
    ):
        plan(state)


def test_a_state_of_another_region_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        AnatomyError, match=f"The state is of {REGION}, and aws:region of the stack prod is ap-northeast-2"
    ):
        make_plan(write(tmp_path, small_state()), "prod", SETTINGS, "ap-northeast-2")


def test_what_terraform_did_not_finish_is_refused() -> None:
    state = small_state()
    state["resources"][6]["instances"][0]["status"] = "tainted"
    with pytest.raises(AnatomyError, match=r"aws_efs_file_system\.this is tainted.*terraform apply"):
        plan(state)
