"""terraformIsolation: what the settings and the server's own configuration must not undo."""

from pathlib import Path
from typing import Any

import pytest

from components import settings as settings_package
from components.configuration import repo_configuration
from components.configuration.server_steps import in_server
from tests.unit.isolated import ISOLATED
from tests.unit.recording import ACCOUNT, LOCAL, REGION
from tests.unit.stacks import stack

ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/x"
TASKS = {"terraformIsolation": "tasks"}

STEPS = {
    "repos": [
        {
            "id": "/.*/",
            "pre_workflow_hooks": [{"run": "make generate"}],
            "post_workflow_hooks": [{"run": "run-in-plan -- x"}],
        }
    ],
    "workflows": {
        "custom": {
            "plan": {
                "steps": [
                    "init",
                    {"run": "terraform fmt -check"},
                    {"run": {"command": "terragrunt plan"}},
                    {"env": {"name": "X", "command": "cat x"}},
                    {"env": {"name": "Y", "value": "1"}},
                    {"multienv": "./make-environment"},
                    {"plan": {"extra_args": ["-lock=false"]}},
                ]
            },
            "apply": {"steps": [{"run": "run-in-apply --plan-file $PLANFILE -- terragrunt apply $PLANFILE"}, "apply"]},
        }
    },
}


@pytest.mark.parametrize(
    "command",
    [
        "run-in-plan -- make; make",
        "run-in-plan -- make && make",
        "run-in-plan -- make | ./filter",
        'run-in-plan -- "$(./name)"',
        "terraform output `./name`",
        "echo x\n./script",
        "terraform show >file",
        "run-in-planner",
    ],
)
def test_a_command_of_which_only_a_part_is_handed_over_is_named(command: str) -> None:
    assert list(in_server({"workflows": {"w": {"plan": {"steps": [{"run": command}]}}}})) == [
        f"workflow w, plan: {command}"
    ]


def test_the_example_runs_nothing_in_the_servers_container_and_weakens_no_rule() -> None:
    content = repo_configuration.load("examples/isolated.yaml")
    assert list(repo_configuration.problems(content)) == []
    assert list(repo_configuration.weaker(content)) == []
    assert list(in_server(content)) == []
    assert stack(**ISOLATED | {"repoConfigFile": "examples/isolated.yaml"})


def test_a_step_that_runs_in_the_servers_container_is_named() -> None:
    assert list(in_server(STEPS)) == [
        "repos /.*/, pre_workflow_hooks: make generate",
        "workflow custom, plan: terragrunt plan",
        "workflow custom, plan: cat x",
        "workflow custom, plan: ./make-environment",
    ]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"terraformIsolation": "other"}, "none, tasks"),
        ({"repositoryRoles": [f"o/r={ROLE_ARN} {ROLE_ARN}"]}, "applies only with terraformIsolation tasks"),
        ({"terraformIsolation": "tasks", "repositoryRoles": [f"o/r={ROLE_ARN}"]}, "plan role and the apply role"),
        (
            {"terraformStateBuckets": ["b-state"], "terraformStatePrefixes": ["{repository}/"]},
            r"\{repository\} applies only with terraformIsolation tasks",
        ),
        (
            {"terraformStateBuckets": ["b-state"], "terraformStatePrefixes": ["states/", "states/{repository}/"]}
            | TASKS,
            r"states/ contains states/\{repository\}/, so every repository would reach the states of all",
        ),
        ({"planAssumableRoleArns": [ROLE_ARN]}, "applies only with terraformIsolation tasks"),
        (
            {"planAssumableRoleArns": [ROLE_ARN.replace("aws", "aws-cn", 1)]} | TASKS,
            "planAssumableRoleArns = .* must be in the partition aws of",
        ),
        (
            {"repositoryRoles": [f"o/r={ROLE_ARN} {ROLE_ARN.replace('aws', 'aws-cn', 1)}"]} | TASKS,
            "repositoryRoles = .* must be in the partition aws of",
        ),
        ({"moduleRepositories": ["modules"]}, "applies only with terraformIsolation tasks"),
        ({"terraformIsolation": "tasks", "moduleRepositories": ["owner/modules"]}, "without its owner"),
        ({"terraformIsolation": "tasks", "flags": "tf-download: true"}, "would run in the server's task"),
        ({"terraformIsolation": "tasks", "flags": "use-tf-plugin-cache: true"}, "shared by the commands of all"),
        ({"terraformIsolation": "tasks", "flags": "enable-external-stores: true"}, "no AWS credentials"),
    ],
)
def test_settings_that_undo_the_isolation_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = dict(settings)
    if flags := given.pop("flags", None):
        (tmp_path / "server.yaml").write_text(f"{flags}\n")
        given["serverConfigFile"] = "server.yaml"
    with pytest.raises(settings_package.SettingsError, match=reason):
        settings_package.parse({**LOCAL, **given}, stack="prod", region=REGION)
