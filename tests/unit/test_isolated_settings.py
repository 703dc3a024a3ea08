"""terraformIsolation: what the settings and the server's own configuration must not undo."""

import pytest

from components.configuration import repo_configuration
from components.configuration.server_steps import in_server
from tests.tables import table
from tests.unit.isolated import ISOLATED
from tests.unit.stacks import stack

STEPS = table(__file__, "steps")


@pytest.mark.parametrize(
    "command",
    table(__file__, "partly"),
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
