"""The server's flags, from a file in the format of `atlantis server --config`, whose keys are the names of flags.

The stack passes them to the server as environment variables, so the task needs no file.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import notifications, yaml_file
from .yaml_file import Finding, WrittenFloat, WrittenInt, text_of

_LIST = json.loads(Path(__file__).with_name("server_flags.json").read_text(encoding="utf-8"))
FLAGS: Mapping[str, str] = _LIST["flags"] | {"tf-distribution": "string"}
"""The type of each flag of the server: boolean, integer or string. `--help` doesn't list the deprecated one."""
VERSION: str = _LIST["version"]
"""The version of the server that has these flags."""

OWNED = {
    "atlantis-url": "set url",
    "checkout-strategy": "it is merge, which the requirement undiverged needs",
    "config": "it is this file",
    "data-dir": "it is the mount of the file system",
    "gh-app-id": "the secret of githubAppSecretName has it",
    "gh-app-installation-id": "the secret of githubAppSecretName has it",
    "gh-app-key": "the secret of githubAppSecretName has it",
    "gh-app-key-file": "the secret of githubAppSecretName has the key",
    "gh-hostname": "set githubHostname",
    "gh-token": "set vcsKind github; the secret of vcsTokenSecretName has it",
    "gh-token-file": "set vcsKind github; the secret of vcsTokenSecretName has the token",
    "gh-user": "set vcsKind github and vcsUser",
    "gh-webhook-secret": "the secret of webhookSecretName has it",
    "locking-db-type": "set lockingDatabase",
    "log-level": "set logLevel",
    "port": "set containerPort",
    "redis-cluster-addresses": "set lockingDatabase",
    "redis-db": "set lockingDatabase",
    "redis-host": "set lockingDatabase",
    "redis-insecure-skip-verify": "the connection to the locking database is always verified",
    "redis-password": "the stack generates it: lockingPasswordGeneration",
    "redis-port": "set lockingDatabase",
    "redis-tls-enabled": "set lockingDatabase",
    "redis-username": "set lockingDatabase",
    "repo-allowlist": "set repoAllowlist",
    "repo-config": "set repoConfigFile",
    "repo-config-json": "set repoConfigFile",
    "ssl-cert-file": "the load balancer terminates TLS: acmCertificateArn",
    "ssl-key-file": "the load balancer terminates TLS: acmCertificateArn",
    "web-basic-auth": "set webBasicAuth",
    "web-password": "the stack generates it: webBasicAuth",
    "web-username": "set webBasicAuth",
    "write-git-creds": "it is true, which a GitHub App needs",
}
"""Flags that the stack sets itself, and what to do instead."""

REQUIRED = {
    "fail-on-pre-workflow-hook-error": (True, "the stack's check of committed files is such a hook"),
}
"""Flags that a file can only repeat: their value, and the reason."""

API_SECRET = "api-secret"  # noqa: S105 - the name of a flag
_STATE_COMMANDS = ("state", "all")
"""Words of allow-commands that enable `atlantis state rm`, for which Atlantis has no requirements."""

SECRET = re.compile(r".*(secret|password|token|-key)|webhook-http-headers")
"""Flags whose value must not be in a file. Headers of notifications hold their credentials."""

_WORDS = {
    "autodiscover-mode": ("auto", "enabled", "disabled"),
    "automerge-method": ("merge", "rebase", "squash"),
    "default-tf-distribution": ("terraform", "opentofu"),
    "tf-distribution": ("terraform", "opentofu"),
}
"""The accepted values of flags."""


def load(path: str) -> dict[str, Any]:
    """The flags in the file `path`, relative to the program's directory.

    Raises:
        yaml_file.YamlFileError: the file doesn't exist, or is not a YAML mapping.
    """
    content = yaml_file.read(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise yaml_file.YamlFileError("must be a YAML mapping of the server's flags, such as `parallel-plan: true`")
    return {str(flag): value for flag, value in content.items()}


def problems(flags: Mapping[str, Any]) -> Iterator[Finding]:
    """The problem with each flag: its name, the accepted values and the fix, without the value of a secret flag."""
    for flag, value in flags.items():
        if flag == notifications.BLOCK:
            yield from notifications.problems(value)
        elif reason := _refused(flag, value):
            yield Finding(flag, reason)
    for flag in ("parallel-plan", "parallel-apply"):
        if flags.get(flag) is True and "use-tf-plugin-cache" not in flags:
            yield Finding(
                flag,
                f"{flag}: projects that install the same provider at once corrupt the plugin cache, which Atlantis uses by "
                "default; set use-tf-plugin-cache to false, or to true where every workflow's init takes turns",
            )


def _refused(flag: str, value: Any) -> str | None:
    if flag in OWNED:
        return f"{flag}: the stack sets this flag; {OWNED[flag]}"
    if flag not in FLAGS:
        return f"{flag}: Atlantis {VERSION} has no such flag{_nearest(flag)}"
    if SECRET.fullmatch(flag):
        return f"{flag}: must not be in a file; store it in Secrets Manager and name it in serverSecrets"
    if flag in REQUIRED and value != REQUIRED[flag][0]:
        required, reason = REQUIRED[flag]
        return f"{flag} = {value!r}: must be {text_of(required)}, because {reason}; remove it"
    return _not_a_value(flag, value)


def _not_a_value(flag: str, value: Any) -> str | None:
    if not _fits(value, FLAGS[flag]):
        return f"{flag} = {value!r}: must be {_EXPECTED[FLAGS[flag]]}"
    if isinstance(value, WrittenInt | WrittenFloat) and FLAGS[flag] == "string" and str(value) != value.written:
        return f'{flag}: YAML reads {value.written} as the number {value}; put it in quotes: "{value.written}"'
    if flag in _WORDS and value not in _WORDS[flag]:
        return f"{flag} = {value!r}: must be one of {', '.join(_WORDS[flag])}"
    return _unknown_commands(str(value)) if flag == "allow-commands" else None


COMMANDS = ("apply", "approve_policies", "cancel", "import", "plan", "policy_check", "state", "unlock", "version")
"""The commands that `allow-commands` can list, besides `all` (server/events/command/name.go of Atlantis)."""


def _unknown_commands(listed: str) -> str | None:
    unknown = [name for name in listed.split(",") if name not in ("", "all", *COMMANDS)]
    if not unknown:
        return None
    return (
        f"allow-commands: Atlantis {VERSION} has no command {', '.join(map(repr, unknown))}; list {', '.join(COMMANDS)}, or all, "
        "separated by commas without spaces"
    )


def warnings(path: str | None) -> list[str]:
    """What the flags of a file open to others or promise in vain, with its file and line; empty without a file."""
    if not path:
        return []
    forks = Finding(
        "allow-fork-prs",
        "allow-fork-prs: everyone who can fork a repository can open a pull request that plans, and a plan runs their code",
    )
    cancels = Finding(
        "allow-commands",
        "allow-commands: `atlantis cancel` fails while a command runs, because Atlantis takes the command's lock for the hooks first, "
        "and the stack's check of committed files is a hook; remove cancel, and stop a command with its own time-outs",
    )
    flags = load(path)
    found = [forks] if flags.get("allow-fork-prs") is True else []
    return yaml_file.lines(
        path, iter([*found, *([cancels] if {"cancel", "all"} & set(_allowed_commands(flags)) else [])])
    )


def state_commands(flags: Mapping[str, Any]) -> list[str]:
    """The words of the flag allow-commands that enable `atlantis state rm`."""
    return [word for word in _allowed_commands(flags) if word in _STATE_COMMANDS]


def _allowed_commands(flags: Mapping[str, Any]) -> list[str]:
    return [word.strip() for word in str(flags.get("allow-commands", "")).split(",")]


def not_a_secret_flag(flag: str) -> str | None:
    """Why a secret can't set this flag; None if it can."""
    if flag in OWNED:
        return f"the stack sets this flag; {OWNED[flag]}"
    if flag not in FLAGS:
        return f"Atlantis {VERSION} has no such flag{_nearest(flag)}"
    return None if SECRET.fullmatch(flag) else "is not a secret flag; set it in serverConfigFile"


def environment(flags: Mapping[str, Any]) -> dict[str, str]:
    """The flags as environment variables of the server. Notifications have none."""
    return {variable(flag): text_of(value) for flag, value in flags.items() if flag != notifications.BLOCK}


def variable(flag: str) -> str:
    """The environment variable that sets a flag: `parallel-plan` is `ATLANTIS_PARALLEL_PLAN`."""
    return f"ATLANTIS_{flag.upper().replace('-', '_')}"


def flag_of(variable: str) -> str:
    """The flag that an environment variable sets."""
    return variable.removeprefix("ATLANTIS_").lower().replace("_", "-")


_EXPECTED = {"boolean": "true or false", "integer": "an integer", "string": "a string"}


def _fits(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    # Versions and lists may have no quotes, and YAML reads some of them as numbers.
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _nearest(flag: str) -> str:
    nearest = difflib.get_close_matches(flag, FLAGS, n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ": see `atlantis server --help`"
