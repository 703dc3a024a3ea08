"""Finds what Atlantis would reject or ignore in a server-side repository configuration, without running Atlantis.

Sources: https://www.runatlantis.io/docs/server-side-repo-config and https://www.runatlantis.io/docs/custom-workflows for the
version in `server_configuration.VERSION`. `tests/sandbox/test_repo_configuration_parser.py` compares this module with that
server's parser.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import server_blocks
from .yaml_file import Finding, not_a_pattern, unknown_keys

TOP_KEYS = ("repos", "workflows", *server_blocks.SHAPES)
REPO_KEYS = {
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
"""Keys of a repository, and the type of each value."""
_REQUIREMENTS = ("approved", "mergeable", "undiverged")
_WORDS = {
    "plan_requirements": _REQUIREMENTS,
    "apply_requirements": _REQUIREMENTS,
    "import_requirements": _REQUIREMENTS,
    "allowed_overrides": (
        "plan_requirements",
        "apply_requirements",
        "import_requirements",
        "workflow",
        "delete_source_branch_on_merge",
        "repo_locking",
        "repo_locks",
        "policy_check",
        "custom_policy_check",
        "silence_pr_comments",
    ),
    "silence_pr_comments": ("plan", "apply"),
}
"""The accepted items of each list."""
_MODES = {"repo_locks": ("disabled", "on_plan", "on_apply"), "autodiscover": ("auto", "enabled", "disabled")}
_STAGES = ("apply", "plan", "policy_check", "import", "state_rm")
_STEPS = ("init", "plan", "show", "policy_check", "apply", "import", "state_rm")
"""Atlantis' built-in steps, which accept `extra_args`."""
_COMMAND_STEPS = {
    "run": ("command", "output", "shell", "shellArgs"),
    "multienv": ("command", "output", "shell", "shellArgs"),
    "env": ("name", "command", "value", "shell", "shellArgs"),
}
_HOOK_KEYS = ("run", "description", "shell", "shellArgs", "commands")
_TYPES = {str: "a string", list: "a list", bool: "true or false", dict: "a mapping"}


def problems(content: Mapping[str, Any]) -> Iterator[Finding]:
    """What Atlantis would reject or silently ignore."""
    yield from _unknown("", content, TOP_KEYS)
    yield from server_blocks.problems(content)
    repos, workflows = (
        default if content.get(key) is None else content[key] for key, default in (("repos", []), ("workflows", {}))
    )
    if not isinstance(repos, list):
        yield Finding("repos", "repos: must be a list of repositories")
        return
    if not isinstance(workflows, dict):
        yield Finding("workflows", "workflows: must be a mapping of workflows by name")
        return
    for number, repo in enumerate(repos):
        yield from _repo(f"repos[{number}]", repo, workflows)
    for name, workflow in workflows.items():
        yield from _workflow(f"workflows.{name}", workflow)


def _repo(where: str, repo: Any, workflows: Mapping[str, Any]) -> Iterator[Finding]:
    if not isinstance(repo, dict):
        yield Finding(where, f"{where}: must be a mapping")
        return
    yield from _unknown(f"{where}.", repo, REPO_KEYS)
    if not repo.get("id"):
        yield Finding(
            where,
            f"{where}.id: missing; must be a repository, such as github.com/my-organization/infrastructure, or a /pattern/",
        )
    for key, value in repo.items():
        expected = REPO_KEYS.get(key)
        if expected and value is not None and not isinstance(value, expected):
            yield Finding(f"{where}.{key}", f"{where}.{key} = {value!r}: must be {_TYPES[expected]}")
    yield from _patterns(where, repo)
    yield from _words(where, repo)
    yield from _hooks(where, repo)
    named = [("workflow", repo["workflow"])] if isinstance(repo.get("workflow"), str) else []
    for key, workflow in [*named, *(("allowed_workflows", item) for item in _items(repo, "allowed_workflows"))]:
        if workflow != "default" and workflow not in workflows:
            yield Finding(f"{where}.{key}", f"{where}: workflow {workflow!r} is not defined under workflows")


def _patterns(where: str, repo: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("id", "branch"):
        value = repo.get(key)
        if not isinstance(value, str) or not value:
            continue
        if value.startswith("/") and value.endswith("/") and len(value) > 1:
            if reason := not_a_pattern(value[1:-1]):
                yield Finding(f"{where}.{key}", f"{where}.{key} = {value!r}: is not a regular expression: {reason}")
        elif key == "branch":
            yield Finding(
                f"{where}.{key}", f"{where}.{key} = {value!r}: must be a pattern between slashes, such as /^main$/"
            )
    file = repo.get("repo_config_file")
    if isinstance(file, str) and (file.startswith("/") or "../" in file):
        yield Finding(
            f"{where}.repo_config_file", f"{where}.repo_config_file = {file!r}: must be inside the repository"
        )


def _words(where: str, repo: Mapping[str, Any]) -> Iterator[Finding]:
    for key, words in _WORDS.items():
        for item in _items(repo, key):
            if item not in words:
                yield Finding(f"{where}.{key}", f"{where}.{key}: {item!r} is unknown; must be of {', '.join(words)}")
    for key, modes in _MODES.items():
        value = repo.get(key)
        if not isinstance(value, dict):
            continue
        yield from _unknown(f"{where}.{key}.", value, ("mode", *(("ignore_paths",) if key == "autodiscover" else ())))
        if value.get("mode") not in (None, *modes):
            yield Finding(
                f"{where}.{key}.mode", f"{where}.{key}.mode = {value['mode']!r}: must be of {', '.join(modes)}"
            )
        for ignored in _items(value, "ignore_paths"):
            if str(ignored).startswith("/"):
                yield Finding(
                    f"{where}.{key}.ignore_paths",
                    f"{where}.{key}.ignore_paths: {ignored!r} must not begin with a slash",
                )


def _hooks(where: str, repo: Mapping[str, Any]) -> Iterator[Finding]:
    for key in ("pre_workflow_hooks", "post_workflow_hooks"):
        for number, hook in enumerate(_items(repo, key)):
            place = f"{where}.{key}[{number}]"
            if not isinstance(hook, dict) or "run" not in hook or any(not isinstance(hook[one], str) for one in hook):
                yield Finding(place, f"{place}: must be a mapping of strings with `run`")
            else:
                yield from unknown_keys(f"{place}.", hook, _HOOK_KEYS)


def _workflow(where: str, workflow: Any) -> Iterator[Finding]:
    if not isinstance(workflow, dict):
        yield Finding(where, f"{where}: must be a mapping of stages")
        return
    yield from _unknown(f"{where}.", workflow, _STAGES)
    for stage, content in workflow.items():
        if content is None or stage not in _STAGES:
            continue
        if not isinstance(content, dict) or not isinstance(content.get("steps") or [], list):
            yield Finding(f"{where}.{stage}", f"{where}.{stage}: must be a mapping with a list of steps")
            continue
        yield from _unknown(f"{where}.{stage}.", content, ("steps",))
        for number, step in enumerate(content.get("steps") or []):
            place = f"{where}.{stage}.steps[{number}]"
            if reason := _not_a_step(step):
                yield Finding(place, f"{place}: {reason}")


def _not_a_step(step: Any) -> str | None:
    if isinstance(step, str):
        return (
            None if step in (*_STEPS, *(["env", "multienv"])) else f"{step!r} is no step; did you mean `run: {step}`?"
        )
    if not isinstance(step, dict) or len(step) != 1:
        return "must be one step: a name, or a mapping with one key"
    ((name, value),) = step.items()
    if isinstance(value, str):
        return None if name in ("run", "multienv") else f"{name!r} takes a mapping"
    if name in _STEPS:
        arguments = value.get("extra_args") if isinstance(value, dict) and list(value) == ["extra_args"] else None
        fits = isinstance(arguments, list) and all(isinstance(argument, str) for argument in arguments)
        return None if fits else f"{name!r} takes extra_args only, a list of strings"
    if name not in _COMMAND_STEPS:
        return f"{name!r} is no step; Atlantis has {', '.join((*_STEPS, *_COMMAND_STEPS))}"
    return _not_a_command(str(name), value)


def _not_a_command(name: str, value: Any) -> str | None:
    known = _COMMAND_STEPS[name]
    if not isinstance(value, dict):
        return f"{name!r} takes a command or a mapping"
    if unknown := [str(key) for key in value if key not in known]:
        return f"{name!r} has no {', '.join(unknown)}; it takes {', '.join(known)}"
    needed = "name" if name == "env" else "command"
    if needed not in value:
        return f"{name!r} needs {needed}"
    if name == "env" and {"value", "command"} <= value.keys():
        return "'env' takes a value or a command, not both"
    if "shell" in value and "command" not in value:
        return "shell goes with a command"
    return "shellArgs go with a shell" if "shellArgs" in value and "shell" not in value else None


def _items(of: Mapping[str, Any], key: str) -> list[Any]:
    value = of.get(key)
    return value if isinstance(value, list) else []


def _unknown(where: str, found: Mapping[str, Any], known: Iterable[str]) -> Iterator[Finding]:
    return unknown_keys(where, found, known, "refuses the file (field not found)")
