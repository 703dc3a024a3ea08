"""What the server does with a checkout of a pull request: the configuration of its git, and a check of committed links.

A pull request controls every file of a checkout. Git runs programs that a repository's configuration names, and takes a
directory with the files of a bare repository for one, so a commit could contain such a configuration.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["GIT_CONFIGURATION", "LINK_CHECK", "environment", "with_link_check"]

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

LINK_CHECK = "CHECK_COMMITTED_LINKS"
"""The variable that holds the check. In a file, the code of a plan could change it."""

_HOOK = {
    "run": f'eval "${LINK_CHECK}"',
    "description": "committed links",
    # An apply uses the checkout of a plan, which this hook has checked. Atlantis compares commands by substring.
    "commands": "autoplan, plan, import, state",
}


def environment() -> dict[str, str]:
    """The variables that configure git (git-config, GIT_CONFIG_COUNT), and the check of committed links."""
    variables = {"GIT_CONFIG_COUNT": str(len(GIT_CONFIGURATION))}
    for number, (key, value) in enumerate(GIT_CONFIGURATION.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables | {LINK_CHECK: Path(__file__).with_name("committed_links.sh").read_text(encoding="utf-8")}


def with_link_check(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Server-side repository rules whose first hook, for every repository, is the check of committed links.

    Atlantis runs the hooks of all entries that match a repository, in order, and a pull request can't set hooks.
    """
    checked = copy.deepcopy(dict(rules))
    first = {"id": "/.*/", "pre_workflow_hooks": [dict(_HOOK)]}
    return checked | {"repos": [first, *(checked.get("repos") or [])]}
