"""What stands in the way of an adoption: replacements, and states that aren't one whole stack of the right place."""

import json
from pathlib import Path

import pytest

from adoption.anatomy import AnatomyError
from adoption.plan import make_plan
from tests.adoption.plans import plan
from tests.adoption.states import (
    REGION,
    SETTINGS,
    State,
    small_state,
    write,
)


@pytest.mark.parametrize(
    ("type_", "change", "says"),
    [
        (
            "aws_",
            {"provider": 'provider["registry.example.com/platform/aws"]'},
            "`terraform state replace-provider registry.example.com/platform/aws registry.terraform.io/hashicorp/aws`",
        ),
        (
            "aws_ecs_task_definition",
            {"mode": "data"},
            "runs a task definition that the state has as a data source only (module.atlantis.data.aws_ecs_task",
        ),
    ],
)
def test_an_atlantis_that_cannot_be_read_is_named_with_what_to_do(type_: str, change: State, says: str) -> None:
    state = small_state()
    for entry in state["resources"]:
        entry.update(change if entry["type"].startswith(type_) else {})
    with pytest.raises(AnatomyError) as refused:
        plan(state)
    assert says in str(refused.value)


def test_the_addresses_of_providers_that_terraform_0_12_wrote_are_understood() -> None:
    state = small_state()
    for number, entry in enumerate(state["resources"]):
        entry["provider"] = ("provider.aws", "provider.aws.main", "module.atlantis.provider.aws")[number % 3]
    assert len(plan(state).adopted) == len(plan(small_state()).adopted)


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
