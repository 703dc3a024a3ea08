"""Which variables of the server's environment a command gets: those that a workflow or Atlantis has set for it."""

import re
from collections.abc import Mapping

__all__ = ["forwarded"]

OWN_NAMES = "ISOLATION_SERVER_NAMES"
"""The variable with the names that the server was started with, separated by spaces; those are the server's own."""
FOR_TERRAFORM = "ISOLATION_FORWARD"
"""The variable with the names that are for Terraform although the server was started with them (`serverSecrets`)."""

_TERRAFORMS = re.compile(r"(TF|TOFU|TG|TERRAGRUNT)_\w+")
# Directories and programs of the server's container, and what makes a program load other code. An executor sets its own.
_NEVER = re.compile(
    r"PATH|HOME|PWD|OLDPWD|SHLVL|_|TMPDIR|LD_\w+|PYTHON\w+|GIT_\w+|ISOLATION_\w+|ECS_\w+|SSH_\w+"
    r"|AWS_CONTAINER_\w+|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE"
    # An image's own; the cache would be a directory that all commands write.
    r"|TF_PLUGIN_CACHE_DIR|TF_DATA_DIR|TF_CLI_CONFIG_FILE"
)


def forwarded(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to send. The server's own stay, because its secrets and its configuration are among them."""
    own = set(environment.get(OWN_NAMES, "").split())
    for_terraform = set(environment.get(FOR_TERRAFORM, "").split())
    return {
        name: value
        for name, value in environment.items()
        if not _NEVER.fullmatch(name) and (name not in own or name in for_terraform or _TERRAFORMS.fullmatch(name))
    }
