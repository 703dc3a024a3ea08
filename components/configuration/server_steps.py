"""Which steps of the repository configuration run in the server's container, if Terraform runs in workers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import repo_configuration, yaml_file

# The shims hand the first four to a container; `printf` and `echo` run nothing of a checkout.
_HANDED_OVER = ("run-in-plan", "run-in-apply", "terraform", "tofu", "printf", "echo")
_STAGES = ("plan", "apply", "policy_check", "import", "state_rm")
_HOOKS = ("pre_workflow_hooks", "post_workflow_hooks")


def warnings(path: str | None) -> Iterator[str]:
    """A warning for each step that runs there, which code of a pull request could reach the server with."""
    for step in in_server(yaml_file.readable(repo_configuration.load, path)):
        yield (
            f"{path}: {step}: this command runs in the server's container, which has the server's credentials. If it runs "
            "code of a pull request, put run-in-plan in front of it (docker/isolation/README.md)"
        )


def in_server(content: Mapping[str, Any]) -> Iterator[str]:
    """The commands that aren't handed to another container, with their place in the file."""
    for repository in _list(content.get("repos")):
        for hooks in _HOOKS:
            for hook in _list(repository.get(hooks)):
                if (command := _text(hook.get("run"))) and not _is_handed_over(command):
                    yield f"repos {repository.get('id')}, {hooks}: {command}"
    for name, workflow in _mapping(content.get("workflows")).items():
        for stage in _STAGES:
            for step in _list(_mapping(_mapping(workflow).get(stage)).get("steps")):
                for command in _commands(step):
                    if not _is_handed_over(command):
                        yield f"workflow {name}, {stage}: {command}"


def _is_handed_over(command: str) -> bool:
    """Whether the whole command is one of those; the server's shell runs everything else that it consists of."""
    unquoted = re.sub(r"'[^']*'", "''", command)
    if "`" in unquoted or "$(" in unquoted:
        return False
    operators = re.search(r"[;&|<>\n]", re.sub(r'"[^"]*"', '""', unquoted))
    return not operators and command.split(maxsplit=1)[0] in _HANDED_OVER


def _commands(step: Mapping[str, Any]) -> Iterator[str]:
    """The shell commands of a step: `run` and `multienv` as text or with `command`, `env` with `command`."""
    for kind in ("run", "multienv", "env"):
        given = step.get(kind)
        command = given if isinstance(given, str) and kind != "env" else _mapping(given).get("command")
        if command := _text(command):
            yield command


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
