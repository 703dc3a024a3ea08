"""What stands in the way of an adoption: replacements, and states that aren't one whole stack of the right place."""

import json
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from adoption.anatomy import AnatomyError
from adoption.plan import make_plan
from tests.adoption.plans import plan
from tests.adoption.small_stack import ACCOUNT, FILE_SYSTEM, REGION, TASKS
from tests.adoption.states import SETTINGS, State, find, small_state, without, write


def _encryption(state: State) -> None:
    find(state, "aws_efs_file_system.this")["encrypted"] = False


def _performance(state: State) -> None:
    find(state, "aws_efs_file_system.this")["performance_mode"] = "maxIO"


def _inline_rule(state: State) -> None:
    rule = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"], "security_groups": []}
    find(state, "aws_security_group.tasks")["egress"] = [rule]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            _encryption,
            "storage-efs: encrypted of module.atlantis.aws_efs_file_system.this is false, and true would replace what holds data",
        ),
        (_performance, "performanceMode of module.atlantis.aws_efs_file_system.this is maxIO"),
        (_inline_rule, f"network-tasks-https-egress: {TASKS} has this rule already"),
    ],
)
def test_a_replacement_is_a_problem_with_a_way_out(change: Callable[[State], None], says: str) -> None:
    state = small_state()
    change(state)
    (problem,) = plan(state).problems
    assert says in problem


def test_a_scheme_that_the_settings_refuse_is_reported_and_would_replace_the_load_balancer() -> None:
    state = small_state()
    find(state, "aws_lb.this")["internal"] = True
    found = plan(state, publicSubnetIds=["subnet-0aa0bb0cc0dd0ee11", "subnet-0aa0bb0cc0dd0ee12"])
    assert any("only private ranges can reach an internal load balancer" in note for note in found.notes)
    (problem,) = found.problems
    assert "internal of module.atlantis.aws_lb.this is true, and false would replace" in problem
    assert "Set atlantis:loadBalancerScheme" in problem


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
