"""Atlantis' server-side repository configuration: requirements of pull requests, and the commands that run for them.

The default is strict. An operator's own file (`repos.yaml`) is validated as Atlantis reads it, and every rule in it that is
weaker than the default is reported. The stack passes the file as JSON, in which Atlantis ignores unknown keys, so a misspelled key
would disable a protection.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import server_blocks, yaml_file
from .repo_configuration_schema import problems
from .yaml_file import Finding

__all__ = [
    "REQUIREMENTS",
    "as_json_names",
    "default",
    "has_rules",
    "load",
    "problems",
    "unreachable_hosts",
    "weaker",
    "weaker_rules",
]

REQUIREMENTS = ("approved", "mergeable", "undiverged")
"""The stack's requirements of a pull request before an apply or an import."""
_WEAKENING_OVERRIDES = ("apply_requirements", "import_requirements", "plan_requirements", "workflow")
"""Overrides that let a pull request change its own apply requirements, or the commands that run."""
_EVERY_REPOSITORY = ("/.*/", "/.+/", "/^.*$/", "/^.+$/")


def default(branch: str, plan_requirements: list[str]) -> dict[str, Any]:
    """The stack's default rules, for pull requests into `branch`."""
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
        yaml_file.YamlFileError: the file doesn't exist, or is not a YAML mapping.
    """
    content = yaml_file.read(path)
    if not isinstance(content, dict):
        raise yaml_file.YamlFileError("must be a YAML mapping with `repos`, `workflows` or other blocks")
    return content


def has_rules(path: str | None) -> bool:
    """Whether the file has rules for repositories, instead of the stack's own. A file that can't be read has none."""
    return bool(yaml_file.readable(load, path).get("repos"))


def as_json_names(content: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration for `repo-config-json`, which has another name for `ignore_paths`, and no numbers instead of strings."""
    converted = server_blocks.with_strings(copy.deepcopy(dict(content)))
    for repo in converted.get("repos") or []:
        autodiscover = repo.get("autodiscover") or {}
        if "ignore_paths" in autodiscover:
            autodiscover["IgnorePaths"] = autodiscover.pop("ignore_paths")
    return converted


def weaker(content: Mapping[str, Any]) -> Iterator[Finding]:
    """Each rule that requires less of a pull request than the stack's default, which a file without rules keeps."""
    repos = [repo for repo in content.get("repos") or [] if isinstance(repo, dict)]
    if repos and not any(repo.get("id") in _EVERY_REPOSITORY for repo in repos):
        yield Finding("repos", "repos: no entry for /.*/; a repository that no entry matches has no requirements")
    for number, repo in enumerate(repos):
        where, shown = f"repos[{number}]", f"repos[{number}] ({repo.get('id')})"
        for key in ("apply_requirements", "import_requirements"):
            # An entry overrides only the keys that it sets. The entry for every repository must set all of them.
            if key not in repo and repo.get("id") not in _EVERY_REPOSITORY:
                continue
            if missing := [one for one in REQUIREMENTS if one not in _items(repo, key)]:
                yield Finding(f"{where}.{key}", f"{shown}.{key} lacks {', '.join(missing)}")
        if overridden := [one for one in _items(repo, "allowed_overrides") if one in _WEAKENING_OVERRIDES]:
            yield Finding(
                f"{where}.allowed_overrides",
                f"{shown}.allowed_overrides lets a pull request change {', '.join(overridden)}",
            )
        if repo.get("allow_custom_workflows"):
            yield Finding(
                f"{where}.allow_custom_workflows", f"{shown}.allow_custom_workflows runs commands from pull requests"
            )


def weaker_rules(path: str | None) -> list[str]:
    """The weaker rules of a file, each with its file and line; empty without a file."""
    return yaml_file.lines(path, weaker(load(path))) if path else []


def unreachable_hosts(path: str | None) -> list[str]:
    """The hosts in a file that the task can't reach, each with its file and line; empty without a file."""
    return yaml_file.lines(path, server_blocks.unreachable(load(path))) if path else []


def _items(repo: Mapping[str, Any], key: str) -> list[Any]:
    value = repo.get(key)
    return value if isinstance(value, list) else []
