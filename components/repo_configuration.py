"""Atlantis' server-side repository configuration: what pull requests must fulfil, and which commands run for them.

The default is strict. A file of the operator's own (`repos.yaml`) is checked as Atlantis reads it, and every rule in it that
is weaker than the default is named. Atlantis ignores keys that it doesn't know, so a misspelt one would drop a protection.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import yaml_file

REQUIREMENTS = ("approved", "mergeable", "undiverged")
"""What the stack demands of a pull request before an apply or an import."""

_TOP_KEYS = ("repos", "workflows", "policies", "metrics", "team_authz", "external_stores")
_REPO_KEYS = {
    "id": str,
    "branch": str,
    "repo_config_file": str,
    "plan_requirements": list,
    "apply_requirements": list,
    "import_requirements": list,
    "pre_workflow_hooks": list,
    "post_workflow_hooks": list,
    "workflow": str,
    "allowed_workflows": list,
    "allowed_overrides": list,
    "allow_custom_workflows": bool,
    "delete_source_branch_on_merge": bool,
    "repo_locking": bool,
    "repo_locks": dict,
    "policy_check": bool,
    "custom_policy_check": bool,
    "autodiscover": dict,
    "silence_pr_comments": list,
}
"""Keys of a repository, as Atlantis v0.47.1 knows them (server/core/config/raw), and the type of each value."""
_STAGES = ("apply", "plan", "policy_check", "import", "state_rm")
_TYPES = {str: "a string", list: "a list", bool: "true or false", dict: "a mapping"}
_WEAKENING_OVERRIDES = ("apply_requirements", "import_requirements", "plan_requirements", "workflow")
"""Overrides that let a pull request change what its own apply demands, or the commands that run."""


_EVERY_REPOSITORY = ("/.*/", "/.+/", "/^.*$/", "/^.+$/")


def default(branch: str, plan_requirements: list[str]) -> dict[str, Any]:
    """The stack's own rules, for pull requests into `branch`."""
    return {
        "repos": [
            {
                "id": "/.*/",
                "branch": f"/^{re.escape(branch)}$/",
                "plan_requirements": plan_requirements,
                "apply_requirements": list(REQUIREMENTS),
                "import_requirements": list(REQUIREMENTS),
                "allowed_overrides": [],
                "allow_custom_workflows": False,
            }
        ]
    }


def load(path: str) -> dict[str, Any]:
    """The configuration in the file `path`, relative to the program's directory.

    Raises:
        yaml_file.YamlFileError: there is no such file, or it is no YAML mapping.
    """
    content = yaml_file.read(path)
    if not isinstance(content, dict):
        raise yaml_file.YamlFileError("must be a YAML mapping with `repos`")
    return content


def problems(content: Mapping[str, Any]) -> Iterator[str]:
    """What Atlantis would refuse or ignore silently."""
    yield from _unknown("", content, _TOP_KEYS)
    repos = content.get("repos")
    if not isinstance(repos, list) or not repos:
        yield "repos: must be a list with at least one repository"
        return
    workflows = content.get("workflows") or {}
    if not isinstance(workflows, dict):
        yield "workflows: must be a mapping of workflows by name"
        return
    for number, repo in enumerate(repos):
        yield from _repo_problems(f"repos[{number}]", repo, workflows)
    for name, workflow in workflows.items():
        yield from _workflow_problems(f"workflows.{name}", workflow)


def _repo_problems(where: str, repo: Any, workflows: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(repo, dict):
        yield f"{where}: must be a mapping"
        return
    yield from _unknown(f"{where}.", repo, _REPO_KEYS)
    if not repo.get("id"):
        yield f"{where}.id: missing; must be a repository, such as github.com/my-organization/infrastructure, or a /pattern/"
    for key, value in repo.items():
        expected = _REPO_KEYS.get(key)
        if expected and not isinstance(value, expected):
            yield f"{where}.{key} = {value!r}: must be {_TYPES[expected]}"
    for key in ("id", "branch"):
        yield from _pattern_problems(f"{where}.{key}", repo.get(key))
    for key in ("plan_requirements", "apply_requirements", "import_requirements"):
        for requirement in _items(repo, key):
            if requirement not in (*REQUIREMENTS, "policies_passed"):
                yield f"{where}.{key}: {requirement!r} is no requirement; Atlantis has {', '.join(REQUIREMENTS)}, policies_passed"
    named = [repo["workflow"]] if isinstance(repo.get("workflow"), str) else []
    for workflow in [*named, *_items(repo, "allowed_workflows")]:
        if workflow != "default" and workflow not in workflows:
            yield f"{where}: workflow {workflow!r} is not defined under workflows"


def _workflow_problems(where: str, workflow: Any) -> Iterator[str]:
    if not isinstance(workflow, dict):
        yield f"{where}: must be a mapping of stages"
        return
    yield from _unknown(f"{where}.", workflow, _STAGES)
    for stage, content in workflow.items():
        if content is not None and (not isinstance(content, dict) or not isinstance(content.get("steps", []), list)):
            yield f"{where}.{stage}: must be a mapping with a list of steps"


def _pattern_problems(where: str, value: Any) -> Iterator[str]:
    """A value between slashes is a regular expression."""
    if isinstance(value, str) and len(value) > 1 and value.startswith("/") and value.endswith("/"):
        try:
            re.compile(value[1:-1])
        except re.error as error:
            yield f"{where} = {value!r}: is no regular expression: {error}"


def weaker(content: Mapping[str, Any]) -> Iterator[str]:
    """Each rule that demands less of a pull request than the stack's own."""
    repos = [repo for repo in content.get("repos") or [] if isinstance(repo, dict)]
    if not any(repo.get("id") in _EVERY_REPOSITORY for repo in repos):
        yield "repos: no entry for /.*/; a repository that no entry matches has no requirements"
    for number, repo in enumerate(repos):
        where = f"repos[{number}] ({repo.get('id')})"
        for key in ("apply_requirements", "import_requirements"):
            # An entry overrides only what it names of those before it; the one for every repository names all.
            if key not in repo and repo.get("id") not in _EVERY_REPOSITORY:
                continue
            if missing := [one for one in REQUIREMENTS if one not in _items(repo, key)]:
                yield f"{where}.{key} lacks {', '.join(missing)}"
        if overridden := [one for one in _items(repo, "allowed_overrides") if one in _WEAKENING_OVERRIDES]:
            yield f"{where}.allowed_overrides lets a pull request change {', '.join(overridden)}"
        if repo.get("allow_custom_workflows"):
            yield f"{where}.allow_custom_workflows runs commands from pull requests"


def weaker_rules(path: str | None) -> list[str]:
    """The weaker rules of a file; none without one."""
    return list(weaker(load(path))) if path else []


def _items(repo: Mapping[str, Any], key: str) -> list[Any]:
    value = repo.get(key)
    return value if isinstance(value, list) else []


def _unknown(where: str, found: Mapping[str, Any], known: Any) -> Iterator[str]:
    for key in found:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), list(known), n=1, cutoff=0.6)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            yield f"{where}{key}: Atlantis has no such key and would ignore it{hint}"
