"""Damaged states end with a message: each attribute of three states is deleted, emptied and given another type."""

import copy
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from adoption import files, report
from adoption import plan as planning
from adoption.anatomy import AnatomyError
from adoption.plan import Plan, make_plan
from adoption.state import StateError
from tests.adoption.plans import plan as plan_of_state
from tests.adoption.plans import small_plan
from tests.adoption.states import (
    REGION,
    ROLE,
    SETTINGS,
    SHARED,
    State,
    add,
    changed_state,
    find,
    shared_state,
    small_state,
    wide_state,
    write,
)

DELETED = object()
OTHER_TYPE = object()
OTHERS: tuple[Any, ...] = (DELETED, None, OTHER_TYPE)
CONTAINERS = "container_definitions"


TASK = {
    "server": {
        "stopTimeout": 60,
        "command": ["server"],
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 1}],
        "dependsOn": [{"containerName": "other", "condition": "START"}],
    },
    "containers": [{"name": "other", "image": "other:1"}],
    "set": {"aws_ecs_task_definition.this": {"ephemeral_storage": [{"size_in_gib": 50}]}},
}
"""A task with every property that is read of it."""
STATES = {"small": small_state(), "task": changed_state(TASK), "wide": wide_state()}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in `value`; container definitions are parsed."""
    if path:
        yield path
    if path and path[-1] == CONTAINERS:
        value = json.loads(value)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at `path`."""
    key, *rest = path
    parsed = json.loads(value) if isinstance(value, str) else copy.copy(value)
    if rest:
        parsed[key] = _changed(parsed[key], tuple(rest), new)
    elif new is DELETED:
        del parsed[key]
    elif new is OTHER_TYPE:
        parsed[key] = [{"x": 7}] if isinstance(parsed[key], str) else "x"
    else:
        parsed[key] = new
    return json.dumps(parsed) if isinstance(value, str) else parsed


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program isn't run for each damage: its resources are those for the undamaged small stack."""
    wanted = list(small_plan().pairing.wanted.values())
    monkeypatch.setattr(planning, "register", lambda *_arguments: wanted)


def _ends(path: Path, **settings: Any) -> str:
    """The message with which the plan ends; empty if there is a plan, which can be written and described."""
    try:
        plan: Plan = make_plan(path, "prod", SETTINGS | settings, REGION)
        report.describe(plan)
        if not plan.problems:
            files.section(plan.adopted)
    except (StateError, AnatomyError, pulumi.RunError) as error:
        return str(error)
    return ""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("new", OTHERS, ids=["deleted", "null", "retyped"])
@pytest.mark.parametrize("name", STATES)
def test_no_damage_of_an_attribute_ends_with_a_traceback(name: str, new: Any, tmp_path: Path) -> None:
    _damage(STATES[name], new, tmp_path, () if name == "small" else STATES["small"]["resources"])


@pytest.mark.parametrize("new", OTHERS, ids=["deleted", "null", "retyped"])
def test_no_damage_of_shared_parts_ends_with_a_traceback(
    new: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = list(plan_of_state(shared_state(), **SHARED).pairing.wanted.values())
    monkeypatch.setattr(planning, "register", lambda *_arguments: wanted)
    _damage(shared_state(), new, tmp_path, small_state()["resources"], **SHARED)


def _damage(state: State, new: Any, folder: Path, without: Collection[Any], **settings: Any) -> None:
    """Plan `state` once for each attribute that becomes `new`, except in the resources `without`."""
    for number, resource in enumerate(state["resources"]):
        if resource in without:
            continue
        attributes = resource["instances"][0]["attributes"]
        for place in _places(attributes):
            damaged = _changed(attributes, place, new)
            entry = {**resource, "instances": [{**resource["instances"][0], "attributes": damaged}]}
            resources = [*state["resources"][:number], entry, *state["resources"][number + 1 :]]
            try:
                _ends(write(folder, {**state, "resources": resources}), **settings)
            except Exception as error:
                error.add_note(f"{resource['type']}.{resource['name']} at {place}")
                raise


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("new", OTHERS, ids=["deleted", "null", "retyped"])
def test_no_damage_of_an_entry_ends_with_a_traceback(new: Any, tmp_path: Path) -> None:
    state = small_state()
    first: Mapping[str, Any] = state["resources"][0]
    for place in [
        *_places({**first, "instances": [{}]}),
        ("instances", 0, "attributes"),
        ("instances", 0, "dependencies"),
    ]:
        entry = _changed(first, place, new)
        _ends(write(tmp_path, {**state, "resources": [entry, *state["resources"][1:]]}))


def test_an_attribute_of_another_type_is_named(tmp_path: Path) -> None:
    state = small_state()
    find(state, "aws_ecs_service.this")["load_balancer"] = "x"
    said = _ends(write(tmp_path, state))
    assert "module.atlantis.aws_ecs_service.this: load_balancer is a string, not a list of blocks" in said
    state = small_state()
    find(state, "aws_lb.this")["name"] = "atlantis\nmain"
    assert "module.atlantis.aws_lb.this: name has a line break" in _ends(write(tmp_path, state))


def test_an_adopted_resource_without_its_id_is_named(tmp_path: Path) -> None:
    state = small_state()
    del find(state, "aws_lb_listener.https")["arn"]
    said = _ends(write(tmp_path, state))
    assert "module.atlantis.aws_lb_listener.https has no arn" in said


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deep_json_is_refused(depth: int, tmp_path: Path) -> None:
    deep = "[" * depth + "]" * depth
    text = json.dumps(small_state()).replace('"outputs": {}', f'"outputs": {deep}')
    (tmp_path / "deep.tfstate").write_text(text, encoding="utf-8")
    assert "is nested" in _ends(tmp_path / "deep.tfstate")
    state = small_state()
    find(state, "aws_ecs_task_definition.this")[CONTAINERS] = deep
    find(state, "aws_iam_role.tasks")["assume_role_policy"] = deep
    assert "is an ECS service whose task runs Atlantis" in _ends(write(tmp_path, state))
    state = small_state()
    add(state, "aws_iam_role_policy.deep", {"id": f"{ROLE}:deep", "role": ROLE, "name": "deep", "policy": deep})
    assert _ends(write(tmp_path, state)) == ""
