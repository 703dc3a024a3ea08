"""The program's schema of `repos.yaml` against Atlantis' own parser: the same verdict on the same files."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.configuration import repo_configuration, repo_configuration_parser
from sandbox.atlantis import build
from sandbox.testbed.paths import CHECKOUT
from tests.unit.recording import LOCAL, REGION

EVERY = {"id": "/.*/", "apply_requirements": ["approved"]}


def repo(**keys: Any) -> dict[str, Any]:
    return {"repos": [EVERY | keys]}


def step(value: Any) -> dict[str, Any]:
    return repo(workflow="own") | {"workflows": {"own": {"plan": {"steps": [value]}}}}


GOOD: dict[str, Any] = {
    "default": repo_configuration.default("release/1.0", ["approved"]),
    "example": yaml.safe_load((CHECKOUT / "examples" / "repos.yaml").read_text(encoding="utf-8")),
    "terragrunt": yaml.safe_load((CHECKOUT / "examples" / "terragrunt.yaml").read_text(encoding="utf-8")),
    "one repository": {"repos": [{"id": "github.com/a/b"}]},
    "default workflow": repo(workflow="default"),
    "allowed workflow": repo(allowed_workflows=["own"]) | {"workflows": {"own": {}}},
    "stage of nothing": repo() | {"workflows": {"own": {"plan": None}}},
    "steps of nothing": repo() | {"workflows": {"own": {"plan": {"steps": None}}}},
    "list of nothing": repo(plan_requirements=None),
    "every override": repo(
        allowed_overrides=["workflow", "plan_requirements", "repo_locks", "policy_check", "silence_pr_comments"]
    ),
    "hook": repo(pre_workflow_hooks=[{"run": "a", "description": "b", "shell": "bash", "shellArgs": "-c"}]),
    "locks": repo(repo_locks={"mode": "on_apply"}, repo_locking=True),
    "discovery": repo(autodiscover={"mode": "enabled", "ignore_paths": ["modules/**"]}),
    "silent": repo(silence_pr_comments=["plan", "apply"]),
    "file": repo(repo_config_file="atlantis/server.yaml"),
    "flag in a pattern": repo(branch="/(?i)^main$/"),
    "step init": step("init"),
    "step show": step("show"),
    "step run": step({"run": "terragrunt plan"}),
    "step run with output": step({"run": {"command": "a", "output": "strip_refreshing"}}),
    "step run in a shell": step({"run": {"command": "a", "shell": "bash", "shellArgs": ["-e", "-c"]}}),
    "step env value": step({"env": {"name": "a", "value": "b"}}),
    "step env command": step({"env": {"name": "a", "command": "b", "shell": "sh"}}),
    "step multienv": step({"multienv": "a"}),
    "step arguments": step({"plan": {"extra_args": ["-lock=false"]}}),
    "workflow import": repo() | {"workflows": {"own": {"import": {"steps": ["init", "import"]}}}},
    "no repositories": {"repos": []},
    "policy set without a path": repo(custom_policy_check=True)
    | {"policies": {"policy_sets": [{"name": "own", "source": "local"}]}},
    "metrics": repo() | {"metrics": {"prometheus": {"endpoint": "/metrics"}}},
}
BAD: dict[str, Any] = {
    "repositories as a mapping": {"repos": {}},
    "workflows as a string": repo() | {"workflows": ""},
    "unknown key": repo() | {"repo": []},
    "unknown key of a repository": repo(apply_requirement=["approved"]),
    "unknown key of a workflow": repo() | {"workflows": {"own": {"plans": {}}}},
    "unknown key of a stage": repo() | {"workflows": {"own": {"plan": {"step": []}}}},
    "unknown key of discovery": repo(autodiscover={"mod": "auto"}),
    "no id": {"repos": [{"branch": "/^main$/"}]},
    "repository of text": {"repos": ["x"]},
    "repositories of text": {"repos": "x"},
    "requirements of text": repo(apply_requirements="approved"),
    "unknown requirement": repo(apply_requirements=["aproved"]),
    "requirement of policies": repo(apply_requirements=["policies_passed"]),
    "unknown override": repo(allowed_overrides=["branch"]),
    "custom of text": repo(allow_custom_workflows="maybe"),
    "branch without slashes": repo(branch="main"),
    "branch of half a group": repo(branch="/(main/"),
    "branch with a look ahead": repo(branch="/^(?!main$)/"),
    "id of half a group": {"repos": [{"id": "/(x/"}]},
    "undefined workflow": repo(workflow="absent"),
    "undefined allowed workflow": repo(allowed_workflows=["absent"]),
    "workflows of a list": repo() | {"workflows": ["x"]},
    "workflow of text": repo() | {"workflows": {"own": "x"}},
    "steps of text": repo() | {"workflows": {"own": {"plan": {"steps": "init"}}}},
    "silent on imports": repo(silence_pr_comments=["import"]),
    "mode of locks": repo(repo_locks={"mode": "never"}),
    "mode of discovery": repo(autodiscover={"mode": "sometimes"}),
    "ignored from the root": repo(autodiscover={"ignore_paths": ["/modules"]}),
    "file outside": repo(repo_config_file="../atlantis.yaml"),
    "file at the root": repo(repo_config_file="/atlantis.yaml"),
    "hook of text": repo(pre_workflow_hooks=["terragrunt-atlantis-config"]),
    "step without run": step("terragrunt plan"),
    "step unknown": step({"deploy": {"extra_args": []}}),
    "step of two": step({"run": "a", "env": "b"}),
    "step arguments unknown": step({"plan": {"args": ["a"]}}),
    "step run without command": step({"run": {"output": "hide"}}),
    "step run with a name": step({"run": {"command": "a", "name": "b"}}),
    "step env without name": step({"env": {"value": "a"}}),
    "step env of both": step({"env": {"name": "a", "value": "b", "command": "c"}}),
    "step shell alone": step({"env": {"name": "a", "value": "b", "shell": "sh"}}),
    "step arguments of no shell": step({"run": {"command": "a", "shellArgs": "-c"}}),
}
STRICTER: dict[str, Any] = {
    # It takes the number from YAML, but the task has the rules as JSON.
    "number as an argument": step({"plan": {"extra_args": [1]}}),
    "policy set without a path, checked by conftest": repo() | {"policies": {"policy_sets": [{"name": "a"}]}},
    "policy set without a name": repo() | {"policies": {"policy_sets": [{"path": "a", "source": "local"}]}},
    "store without a type": repo() | {"external_stores": {"plan_store": {"s3": {"bucket": "a", "region": "b"}}}},
    "version of no parts": repo() | {"policies": {"conftest_version": "newest"}},
    "unknown key of a hook": repo(post_workflow_hooks=[{"run": "a", "descripton": "b"}]),
}
"""What Atlantis takes and ignores, and the stack refuses."""


@pytest.fixture(scope="module")
def parser() -> Path:
    return build.executable()


def _file(tmp_path: Path, content: Any) -> str:
    file = tmp_path / "repos.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return str(file)


def _accepted(content: dict[str, Any]) -> bool:
    return not list(repo_configuration.problems(content))


@pytest.mark.parametrize("name", [*GOOD, *BAD, *STRICTER])
def test_the_schema_and_the_parser_give_the_same_verdict(parser: Path, tmp_path: Path, name: str) -> None:
    content = (GOOD | BAD | STRICTER)[name]
    reason = repo_configuration_parser.refusal(parser, _file(tmp_path, content))
    assert (reason is None, _accepted(content)) == {
        name in GOOD: (True, True),
        name in BAD: (False, False),
        name in STRICTER: (True, False),
    }[True], reason


def test_a_key_that_is_set_twice_is_refused_by_both(parser: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "repos:\n- id: /.*/\n  apply_requirements: [approved]\n  apply_requirements: []\n")
    assert "apply_requirements" in str(repo_configuration_parser.refusal(parser, file))
    with pytest.raises(ValueError, match="the key apply_requirements is set twice"):
        repo_configuration.load(file)


def test_the_parser_is_asked_where_the_schema_finds_nothing(
    parser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Python has no such check: the patterns of ignored paths.
    content = repo_configuration.default("main", [])
    content["repos"][0]["autodiscover"] = {"ignore_paths": ["[a"]}
    _file(tmp_path, content)
    given = LOCAL | {"repoConfigFile": "repos.yaml"}
    settings.parse(given, stack="prod", region=REGION)
    monkeypatch.setenv("PATH", f"{os.defpath}:{parser.parent}")
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(given, stack="prod", region=REGION)
    (problem,) = refused.value.problems
    assert problem.startswith("repoConfigFile = 'repos.yaml': Atlantis rejects the file: ")
    assert "invalid pattern" in problem


def test_another_version_on_path_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "atlantis"
    other.write_text("#!/bin/sh\necho 'atlantis 0.46.0 (commit: none)'\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert repo_configuration_parser.find() is None
