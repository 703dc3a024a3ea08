"""What the server does with a checkout of a pull request: the configuration of its git, and a check of the committed files.

A pull request controls every file of a checkout. Git runs programs that a repository's configuration names, and takes a
directory with the files of a bare repository for one, so a commit could contain such a configuration. The server follows links
and parses Terraform's files in its own process, before any requirement.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GIT_CONFIGURATION: Mapping[str, str] = {
    # A directory of the checkout that looks like a bare repository isn't one. Its core.fsmonitor would run as a command.
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    # The server and Terraform fetch over HTTPS and SSH. A URL such as file:// or ext:: would read files or run a command.
    "protocol.ext.allow": "never",
    "protocol.file.allow": "never",
    # Git would start them in the background, where process 1 of the container, the server, wouldn't reap them.
    "gc.auto": "0",
    "maintenance.auto": "false",
}
"""Git's configuration for every process of the container. It precedes the files that a checkout or a plan can change."""

COMMIT_CHECK = "CHECK_COMMIT"
"""The variable that holds the check. In a file, the code of a plan could change it."""
_CHECKS = ("committed_links.sh", "parsed_files.sh")

_HOOK = {
    "run": f'eval "${COMMIT_CHECK}"',
    "description": "committed files",
    # All that parse the checkout, which stays after this hook has refused a plan. Atlantis compares commands by substring.
    "commands": "autoplan, plan, apply, approve_policies, import, state, version",
}


def environment() -> dict[str, str]:
    """The variables that configure git (git-config, GIT_CONFIG_COUNT), and the check of committed files."""
    variables = {"GIT_CONFIG_COUNT": str(len(GIT_CONFIGURATION))}
    for number, (key, value) in enumerate(GIT_CONFIGURATION.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    checks = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _CHECKS)
    return variables | {COMMIT_CHECK: "\n".join(checks)}


def with_commit_check(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Server-side repository rules whose first hook, for every repository, is the check of committed files.

    Atlantis runs the hooks of all entries that match a repository, in order, and a pull request can't set hooks.
    """
    checked = copy.deepcopy(dict(rules))
    first = {"id": "/.*/", "pre_workflow_hooks": [dict(_HOOK)]}
    return checked | {"repos": [first, *(checked.get("repos") or [])]}
