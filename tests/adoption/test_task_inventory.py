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
from tests.adoption.small_stack import ACCOUNT, REGION, SECRET, TARGETS, arn, container
from tests.adoption.states import State, find, small_state

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


def _secret(name: str, reference: str) -> State:
    return _with(secrets=[*_definition()["secrets"], {"name": name, "valueFrom": reference}])


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


@pytest.mark.parametrize(
    ("state", "name", "says"),
    [
        (
            _variable("ATLANTIS_REPO_CONFIG", "/home/atlantis/repos.yaml"),
            "ATLANTIS_REPO_CONFIG",
            "set repoConfigFile to its path",
        ),
        (
            _variable("ATLANTIS_REPO_CONFIG_JSON", '{"repos": []}'),
            "ATLANTIS_REPO_CONFIG_JSON",
            "set repoConfigFile to its path",
        ),
        (_variable("ATLANTIS_AUTOMERGE", "true"), "ATLANTIS_AUTOMERGE", "add `automerge: true` to a YAML file"),
        (_variable("ATLANTIS_TF_DOWNLOAD", "false"), "ATLANTIS_TF_DOWNLOAD", "add `tf-download: false` to a YAML file"),
        (
            _variable("ATLANTIS_DEFAULT_TF_VERSION", "1.9.8"),
            "ATLANTIS_DEFAULT_TF_VERSION",
            "add `default-tf-version: 1.9.8`",
        ),
        (
            _variable("ATLANTIS_SLACK_TOKEN", "xoxb"),
            "ATLANTIS_SLACK_TOKEN",
            "set serverSecrets to slack-token=<secret>:<key>",
        ),
        (_variable("ATLANTIS_REPO_WHITELIST", "*"), "ATLANTIS_REPO_WHITELIST", "has no such flag"),
        (_variable("ATLANTIS_GH_USER", "bot"), "ATLANTIS_GH_USER", "set vcsKind github"),
        (
            _variable("ATLANTIS_GITLAB_USER", "bot"),
            "ATLANTIS_GITLAB_USER",
            "set vcsKind gitlab, vcsUser and vcsTokenSecretName",
        ),
        (_variable("TF_VAR_password", "x"), "TF_VAR_password", "name it in secretEnvironment"),
        (_variable("AWS_REGION", "eu"), "AWS_REGION", "doesn't accept this name or value"),
        (_secret("ATLANTIS_GH_TOKEN", f"{TOKEN}:gh::"), "ATLANTIS_GH_TOKEN", "set vcsKind github"),
        (
            _secret("ATLANTIS_GITLAB_TOKEN", f"{TOKEN}:gl::"),
            "ATLANTIS_GITLAB_TOKEN",
            "set vcsKind gitlab, vcsUser and vcsTokenSecretName",
        ),
        (_secret("ATLANTIS_OLD_SECRET", f"{TOKEN}:old::"), "ATLANTIS_OLD_SECRET", "has no such flag"),
        (
            _secret("TF_VAR_password", TOKEN),
            "TF_VAR_password",
            "set secretEnvironment to TF_VAR_password=<secret>:<key>",
        ),
        (
            _secret("ATLANTIS_API_SECRET", TOKEN),
            "ATLANTIS_API_SECRET",
            "set serverSecrets to api-secret=<secret>:<key>",
        ),
        (_with({"name": "datadog", "image": "agent:7"}), "container:datadog", "with the digest of its image"),
        (
            _with(AGENT | {"environment": [{"name": "DD_API_KEY", "value": "x"}]}),
            "container:datadog",
            "store DD_API_KEY in",
        ),
        (_with(AGENT | {"name": "agent"}), "container:agent", "a container of the program has this name"),
        (
            _with(AGENT | {"user": "agent"}),
            "container:datadog",
            "name it in extraContainers: item 1 (datadog): user must be",
        ),
        (_with(command=["server", "--automerge"]), "ATLANTIS_AUTOMERGE", "add `automerge: true` to a YAML file"),
        (
            _with(command=["atlantis", "server", "--slack-token=xoxb"]),
            "ATLANTIS_SLACK_TOKEN",
            "slack-token=<secret>:<key>",
        ),
        (_with(command=["server", "-c", "x"]), "container.command", "no such property"),
        (_with(command=["version"]), "container.command", "no such property"),
        (_with(logConfiguration={"logDriver": "splunk"}), "container.logConfiguration", "no such property"),
        (_with(environmentFiles=[{"type": "s3", "value": "arn"}]), "container.environmentFiles", "no such property"),
        (
            _with(mountPoints=[*_definition()["mountPoints"], {"sourceVolume": "cache", "containerPath": "/cache"}]),
            "container.mountPoints",
            "no such property",
        ),
    ],
)
def test_what_would_be_lost_stops_the_adoption_until_it_is_accepted_by_name(state: State, name: str, says: str) -> None:
    found = plan(state)
    assert _result(found, name) == LOST
    (problem,) = found.problems
    (row,) = [line for line in problem.splitlines() if line.strip().startswith(f"{name}: ")]
    assert says in row
    assert problem.endswith(f'ACCEPT_LOST="{name}"')
    assert list(problem_of(found.task, (name,))) == []


def _task(**attributes: Any) -> State:
    state = small_state()
    find(state, "aws_ecs_task_definition.this").update(attributes)
    return state


def _second_target_group() -> State:
    state = small_state()
    groups = find(state, "aws_ecs_service.this")["load_balancer"]
    groups.append(groups[0] | {"target_group_arn": TARGETS.replace("atlantis-main", "internal")})
    return state


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (_task(proxy_configuration=[{"container_name": "envoy"}]), "task.proxy_configuration"),
        (_task(pid_mode="task"), "task.pid_mode"),
        (
            _task(volume=[*find(small_state(), "aws_ecs_task_definition.this")["volume"], {"name": "cache"}]),
            "volume:cache",
        ),
        (_second_target_group(), "target-group:internal"),
    ],
)
def test_properties_and_volumes_of_the_task_are_lost_too(state: State, name: str) -> None:
    found = plan(state)
    (problem,) = found.problems
    assert f"{name}: " in problem
    assert "storage-efs" in found.pairing.pairs


@pytest.mark.parametrize(
    ("state", "name", "result"),
    [
        (_variable("ATLANTIS_AUTOMERGE", "false"), "ATLANTIS_AUTOMERGE", KEPT),
        (_variable("ATLANTIS_TF_DOWNLOAD", "true"), "ATLANTIS_TF_DOWNLOAD", KEPT),
        (_variable("ATLANTIS_WRITE_GIT_CREDS", "true"), "ATLANTIS_WRITE_GIT_CREDS", KEPT),
        (_variable("ATLANTIS_DATA_DIR", "/data"), "ATLANTIS_DATA_DIR", REPLACED),
        (_variable("ATLANTIS_GITLAB_HOSTNAME", "gitlab.com"), "ATLANTIS_GITLAB_HOSTNAME", REPLACED),
        (_variable("ATLANTIS_ALLOW_REPO_CONFIG", "false"), "ATLANTIS_ALLOW_REPO_CONFIG", REPLACED),
        (_variable("ATLANTIS_GH_USER", ""), "ATLANTIS_GH_USER", REPLACED),
        (_secret("ATLANTIS_WEB_PASSWORD", f"{TOKEN}:web::"), "ATLANTIS_WEB_PASSWORD", REPLACED),
        (_with(command=["server"]), "container.command", REPLACED),
        (
            _with(command=["server", "--automerge", "--automerge=false", "--log-level", "warn"]),
            "container.command",
            REPLACED,
        ),
        (_with(command=["server", "--log-level", "warn"]), "ATLANTIS_LOG_LEVEL", KEPT),
    ],
)
def test_what_has_a_counterpart_or_no_effect_stops_nothing(state: State, name: str, result: str) -> None:
    found = plan(state)
    assert (_result(found, name), found.problems) == (result, [])


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
