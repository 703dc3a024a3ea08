"""`repoConfigFile`: what Atlantis would ignore is refused, and what is weaker than the stack's own rules must be accepted explicitly."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.configuration import checkout
from components.configuration import repo_configuration as configuration
from tests.unit.isolated import containers_of, environment_of
from tests.unit.stacks import stack

ROOT = Path(__file__).parents[2]
STRICT = configuration.default("main", [])


def changed(**changes: Any) -> dict[str, Any]:
    """The default configuration with some keys of its only repository changed; None removes one."""
    repo = {key: value for key, value in (STRICT["repos"][0] | changes).items() if value is not None}
    return {"repos": [repo]}


@pytest.mark.parametrize(
    "content",
    [
        STRICT,
        configuration.default("release/1.0", ["approved"]),
        changed(allowed_overrides=["delete_source_branch_on_merge"]),
        {"repos": [STRICT["repos"][0], {"id": "github.com/a/b", "workflow": "default"}]},
        yaml.safe_load((ROOT / "examples" / "repos.yaml").read_text(encoding="utf-8")),
        yaml.safe_load((ROOT / "examples" / "terragrunt.yaml").read_text(encoding="utf-8")),
    ],
    ids=["default", "branch", "override", "second entry", "example", "terragrunt"],
)
def test_rules_that_are_as_strict_pass(content: dict[str, Any]) -> None:
    assert list(configuration.problems(content)) == []
    assert list(configuration.weaker(content)) == []


def test_the_branch_is_a_pattern_of_that_branch_alone() -> None:
    assert configuration.default("release/1.0", [])["repos"][0]["branch"] == r"/^release/1\.0$/"


def test_ignored_paths_reach_the_server_under_the_name_that_it_reads_in_json() -> None:
    content = changed(autodiscover={"mode": "auto", "ignore_paths": ["modules/**"]})
    converted = configuration.as_json_names(content)
    assert converted["repos"][0]["autodiscover"] == {"mode": "auto", "IgnorePaths": ["modules/**"]}
    assert content["repos"][0]["autodiscover"]["ignore_paths"] == ["modules/**"]


def test_the_server_is_given_the_file_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    server = containers_of(stack(repoConfigFile="examples/repos.yaml"))["atlantis"]
    own = yaml.safe_load((ROOT / "examples" / "repos.yaml").read_text(encoding="utf-8"))
    assert json.loads(environment_of(server)["ATLANTIS_REPO_CONFIG_JSON"]) == checkout.with_commit_check(own)


def test_a_file_without_rules_keeps_the_stacks_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = {
        "workflows": {"default": {"plan": {"steps": ["init", "plan"]}}},
        "metrics": {"statsd": {"host": "metrics.example.com", "port": 8125}},
        "policies": {"conftest_version": 0.6, "policy_sets": [{"name": "a", "path": "b", "approve_count": 2}]},
    }
    text = yaml.safe_dump(blocks).replace("conftest_version: 0.6", "conftest_version: 0.60")
    (tmp_path / "blocks.yaml").write_text(text, encoding="utf-8")
    changes = {"repoConfigFile": "blocks.yaml", "defaultBranch": "trunk", "planRequirements": ["approved"]}
    passed = json.loads(environment_of(containers_of(stack(**changes))["atlantis"])["ATLANTIS_REPO_CONFIG_JSON"])
    assert passed["repos"][1:] == configuration.default("trunk", ["approved"])["repos"]
    assert passed["workflows"] == blocks["workflows"]
    # In JSON, Atlantis takes no number where it has a string.
    assert passed["metrics"]["statsd"]["port"] == "8125"
    assert passed["policies"]["conftest_version"] == "0.60"
    assert passed["policies"]["policy_sets"][0]["approve_count"] == 2
    assert configuration.weaker_rules("blocks.yaml") == []
    (unreachable,) = configuration.unreachable_hosts("blocks.yaml")
    assert unreachable.startswith(
        "blocks.yaml:3: metrics.statsd.host = 'metrics.example.com': the task's security group"
    )
