"""Each variable, secret, container and property of the running task definition: kept, replaced, or lost by name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption import files, report
from adoption.plan import Plan
from adoption.task_inventory import KEPT, LOST, REPLACED
from adoption.task_inventory import problem as problem_of
from tests.adoption.plans import plan, proposed, small_plan
from tests.adoption.states import ACCOUNT, REGION, SECRET, TARGETS, State, arn, container, find, small_state
from tests.tables import table

AGENT: dict[str, Any] = {"name": "datadog", "image": f"public.ecr.aws/datadog/agent:7@sha256:{'0a' * 32}"}
TOKEN = arn("secretsmanager", "secret:ci/tokens-AbCdEf")


def _definition(**changes: Any) -> dict[str, Any]:
    (found,) = json.loads(container())
    return found | changes


def _with(*others: Mapping[str, Any], **changes: Any) -> State:
    """The small stack, whose server's container has `changes`, with other containers in the task."""
    state = small_state()
    definitions = [_definition(**changes), *others]
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = json.dumps(definitions)
    return state


def _variable(name: str, value: str) -> State:
    return _with(environment=[*_definition()["environment"], {"name": name, "value": value}])


def _state(row: Mapping[str, Any]) -> State:
    """The state of a row in the table."""
    if "variable" in row:
        return _variable(row["variable"], row["value"])
    if "secret" in row:
        reference = f"{TOKEN}:{row['key']}::" if "key" in row else TOKEN
        return _with(secrets=[*_definition()["secrets"], {"name": row["secret"], "valueFrom": reference}])
    state = _with(*([AGENT | row["other"]] if "other" in row else []), **row.get("container", {}))
    find(state, "aws_ecs_task_definition.this").update(row.get("task", {}))
    return state


def _name(row: Mapping[str, Any]) -> str:
    return row.get("name") or row.get("variable") or row["secret"]


def _result(found: Plan, name: str) -> str:
    (item,) = [item for item in found.task if item.name == name]
    return item.result


def test_everything_of_the_small_stack_is_in_the_table_and_nothing_is_lost() -> None:
    found = small_plan()
    assert {item.name: item.result for item in found.task} == {
        **dict.fromkeys(("ATLANTIS_ATLANTIS_URL", "ATLANTIS_REPO_ALLOWLIST"), KEPT),
        **dict.fromkeys(
            (
                "ATLANTIS_GH_APP_ID",
                "ATLANTIS_GH_APP_INSTALLATION_ID",
                "ATLANTIS_GH_APP_KEY",
                "ATLANTIS_GH_WEBHOOK_SECRET",
            ),
            KEPT,
        ),
        **dict.fromkeys(("container.name", "container.essential", "container.portMappings"), KEPT),
        **dict.fromkeys(("container.image", "container.mountPoints", "container.logConfiguration"), REPLACED),
    }
    assert not found.problems
    text = report.describe(found)
    assert "The running task definition module.atlantis.aws_ecs_task_definition.this (12)" in text
    assert "  kept: ATLANTIS_ATLANTIS_URL, ATLANTIS_REPO_ALLOWLIST, " in text
    assert "  replaced: container.image (image or imageTag names it)" in text


@pytest.mark.parametrize("row", table(__file__, "lost"), ids=_name)
def test_what_would_be_lost_stops_the_adoption_until_it_is_accepted_by_name(row: Mapping[str, Any]) -> None:
    found, name = plan(_state(row)), _name(row)
    assert _result(found, name) == LOST
    (problem,) = found.problems
    (line,) = [line for line in problem.splitlines() if line.strip().startswith(f"{name}: ")]
    assert row["says"] in line
    assert problem.endswith(f'ACCEPT_LOST="{name}"')
    assert list(problem_of(found.task, (name,))) == []


def test_another_volume_and_another_target_group_are_lost_too() -> None:
    state = small_state()
    find(state, "aws_ecs_task_definition.this")["volume"].append({"name": "cache"})
    groups = find(state, "aws_ecs_service.this")["load_balancer"]
    groups.append(groups[0] | {"target_group_arn": TARGETS.replace("atlantis-main", "internal")})
    found = plan(state)
    assert {item.name for item in found.task if item.result == LOST} == {"volume:cache", "target-group:internal"}
    assert plan(state, accepted=("volume:cache", "target-group:internal")).problems == []
    assert "storage-efs" in found.pairing.pairs


@pytest.mark.parametrize("row", table(__file__, "not lost"), ids=_name)
def test_what_has_a_counterpart_or_no_effect_stops_nothing(row: Mapping[str, Any]) -> None:
    found = plan(_state(row))
    assert (_result(found, _name(row)), found.problems) == (row["result"], [])


def test_empty_properties_have_no_row() -> None:
    found = plan(_with(volumesFrom=[], linuxParameters={"initProcessEnabled": False}, privileged=False))
    assert found.task == small_plan().task


def test_secrets_with_a_json_key_are_proposed_and_kept() -> None:
    state = _with(
        secrets=[
            *_definition()["secrets"],
            {"name": "ATLANTIS_SLACK_TOKEN", "valueFrom": f"{TOKEN}:slack::"},
            {"name": "REGISTRY_TOKEN", "valueFrom": f"{TOKEN}:registry::"},
        ]
    )
    found = plan(state, secretEnvironment=["OTHER=ci/other:key", "REGISTRY_TOKEN=ci/newer:registry"])
    assert proposed(found)["serverSecrets"] == ["slack-token=ci/tokens:slack"]
    # The stack file's reference takes precedence, and what it has beyond the running task stays.
    assert "secretEnvironment" not in proposed(found)
    assert (_result(found, "ATLANTIS_SLACK_TOKEN"), _result(found, "REGISTRY_TOKEN")) == (KEPT, REPLACED)
    assert not found.problems
    assert proposed(plan(state))["secretEnvironment"] == ["REGISTRY_TOKEN=ci/tokens:registry"]


def test_parameters_and_plain_variables_are_proposed_and_kept() -> None:
    state = _with(
        environment=[*_definition()["environment"], {"name": "TF_VAR_region", "value": "eu"}],
        secrets=[
            *_definition()["secrets"],
            {"name": "ATLANTIS_SLACK_TOKEN", "valueFrom": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/ci/slack"},
            {"name": "TF_VAR_password", "valueFrom": "ci-password"},
        ],
    )
    found = plan(state, environmentVariables={"TF_LOG": "info"})
    assert proposed(found)["environmentVariables"] == {"TF_VAR_region": "eu", "TF_LOG": "info"}
    assert proposed(found)["serverSecrets"] == ["slack-token=ssm:/ci/slack"]
    assert proposed(found)["secretEnvironment"] == ["TF_VAR_password=ssm:/ci-password"]
    assert {_result(found, name) for name in ("TF_VAR_region", "ATLANTIS_SLACK_TOKEN", "TF_VAR_password")} == {KEPT}
    assert not found.problems
    assert _result(plan(state, environmentVariables={"TF_VAR_region": "us"}), "TF_VAR_region") == REPLACED


def test_a_container_with_a_digest_is_proposed_and_what_changes_for_it_is_said(tmp_path: Path) -> None:
    running = AGENT | {
        "cpu": 64,
        "memoryReservation": 128,
        "essential": True,
        "environment": [{"name": "DD_SITE", "value": "eu"}],
        "secrets": [{"name": "DD_API_KEY", "valueFrom": TOKEN}],
        "portMappings": [{"containerPort": 8126}],
    }
    found = plan(_with(running))
    wanted = AGENT | {
        "cpu": 64,
        "memory": 128,
        "environment": {"DD_SITE": "eu"},
        "secrets": {"DD_API_KEY": TOKEN},
    }
    assert proposed(found)["extraContainers"] == [wanted]
    assert not found.problems
    (item,) = [item for item in found.task if item.name == "container:datadog"]
    assert item.result == REPLACED
    assert "it runs as 65534:65534, not as its image's user" in item.why
    assert "it has no portMappings" in item.why

    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text("config:\n  atlantis:cpu: 2048\n", encoding="utf-8")
    files.write_settings(file, found.proposals)
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["config"]["atlantis:extraContainers"] == [wanted]
    other = {"name": "datadog", "image": AGENT["image"], "memory": 512}
    assert "extraContainers" not in proposed(plan(_with(running), extraContainers=[other]))


def test_storage_and_the_stop_timeout_of_the_task_are_proposed() -> None:
    state = _with(stopTimeout=90)
    find(state, "aws_ecs_task_definition.this")["ephemeral_storage"] = [{"size_in_gib": 50}]
    found = plan(state)
    assert (proposed(found)["ephemeralStorage"], proposed(found)["stopTimeout"]) == (50, 90)
    assert (_result(found, "task.ephemeral_storage"), _result(found, "container.stopTimeout")) == (KEPT, KEPT)


def test_a_file_of_flags_keeps_them_and_one_without_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.yaml").write_text("automerge: true\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    variables = [
        {"name": "ATLANTIS_AUTOMERGE", "value": "true"},
        {"name": "ATLANTIS_QUIET_POLICY_CHECKS", "value": "true"},
    ]
    found = plan(_with(environment=[*_definition()["environment"], *variables]), serverConfigFile="server.yaml")
    assert _result(found, "ATLANTIS_AUTOMERGE") == KEPT
    (problem,) = found.problems
    assert "ATLANTIS_QUIET_POLICY_CHECKS: add `quiet-policy-checks: true` to server.yaml" in problem


def test_a_secret_that_the_state_does_not_hold_is_proposed_by_the_name_in_its_arn() -> None:
    state = small_state()
    state["resources"] = [item for item in state["resources"] if not item["type"].startswith("aws_secretsmanager_")]
    assert proposed(plan(state))["githubAppSecretName"] == SECRET.split(":")[6].removesuffix("-AbCdEf")


def test_only_names_of_what_is_lost_can_be_accepted() -> None:
    (problem,) = plan(small_state(), accepted=("ATLANTIS_AUTOMERGE",)).problems
    assert problem == "ACCEPT_LOST: 'ATLANTIS_AUTOMERGE' isn't lost by this adoption; lost: nothing"
