"""The host of the repositories that the running server serves, and the settings for it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from adoption.anatomy import Anatomy
from adoption.proposal import Proposal
from components.configuration.server_configuration import variable
from components.configuration.vcs import APP, KINDS, WEBHOOK_KEY, Vcs

SETTINGS = ("vcsKind", "vcsHost", "vcsUser", "vcsTokenSecretName")
"""The settings that only fit together. `githubHostname` stands for itself."""
_PREFIXES = ("azuredevops-", "bitbucket-", "gitea-", "gitlab-")
"""Beginnings of flags for hosts other than GitHub."""
_CLOUD_API = "api.bitbucket.org"
"""The host in the default of `--bitbucket-base-url`, which selects Bitbucket Cloud."""


def vcs_kind(anatomy: Anatomy, given: Any = None) -> str:
    """The `vcsKind` of the running server.

    A server can have credentials for several hosts, and this program serves one: `given`, that of the stack file, if the server
    has credentials for it, or else the GitHub App, or else the first one.
    """
    running = [kind for kind in KINDS if _has_credentials(anatomy, kind)]
    return given if given in running else next(iter(running), APP)


def other_hosts(name: str) -> tuple[str, ...]:
    """Beginnings of flags for other hosts than that of the kind `name`, except GitHub."""
    own = KINDS[name].user_flag or ""
    return tuple(prefix for prefix in _PREFIXES if not own.startswith(prefix))


def _has_credentials(anatomy: Anatomy, name: str) -> bool:
    kind = KINDS[name]
    known = {flag for flag in (*kind.secret_flags, kind.user_flag) if flag and _is_set(anatomy, flag)}
    if name == "bitbucket-cloud":
        return bool(known) and _host(anatomy, KINDS["bitbucket-server"]) in ("", _CLOUD_API)
    if name == "bitbucket-server":
        return bool(known) and _host(anatomy, kind) not in ("", _CLOUD_API)
    return bool(known)


def missing_settings(anatomy: Anatomy, flag: str) -> str:
    """What to set to keep the host of a flag; empty if the server has no credentials for it, so that the flag has no effect."""
    for name, kind in KINDS.items():
        own = kind.user_flag or next(iter(kind.secret_flags))
        if flag.partition("-")[0] == own.partition("-")[0] and _has_credentials(anatomy, name):
            if not kind.host_flag or _host(anatomy, kind) in ("", kind.host, _CLOUD_API):
                return f"set vcsKind {name}, vcsUser and vcsTokenSecretName"
            ranges = "githubWebhookCidrBlocks" if kind.webhook_flag == "gh-webhook-secret" else "vcsWebhookCidrBlocks"
            return f"set {ranges} to the ranges of its webhooks: then the settings for the host are proposed"
    return ""


def _is_set(anatomy: Anatomy, flag: str) -> bool:
    return bool(anatomy.environment.get(variable(flag))) or variable(flag) in anatomy.secrets


def _host(anatomy: Anatomy, kind: Vcs) -> str:
    """The host of the running server's flag; with a port, or as the URL, where the program can't have it."""
    value = anatomy.environment.get(variable(kind.host_flag), "") if kind.host_flag else ""
    address = urlsplit(value)
    if not kind.host_is_url or address.scheme != "https" or address.path.strip("/"):
        return value
    return address.netloc.lower()


def vcs(anatomy: Anatomy, name: str) -> Iterator[Proposal]:
    """The settings for the kind `name`. The names of the secrets are proposed with the other secrets."""
    kind = KINDS[name]
    yield Proposal("vcsKind", name, "the host whose credentials the server has")
    if name == APP:
        yield from (Proposal(key, None, "not with a GitHub App") for key in SETTINGS[1:])
    else:
        yield Proposal("githubAppSecretName", None, f"not with {name}")
        if kind.user_flag and (user := anatomy.environment.get(variable(kind.user_flag))):
            yield Proposal("vcsUser", user, f"{variable(kind.user_flag)} of the task")
    if kind.webhook_flag == "gh-webhook-secret":
        if host := _host(anatomy, kind):
            yield Proposal("githubHostname", host, "ATLANTIS_GH_HOSTNAME of the task")
    elif (host := _host(anatomy, kind)) and host != kind.host:
        yield Proposal("vcsHost", host, f"{variable(str(kind.host_flag))} of the task")


def credentials_setting(name: str) -> str:
    """The setting for the secret with the credentials of the kind `name`."""
    return "githubAppSecretName" if name == APP else "vcsTokenSecretName"


def secrets_of(name: str) -> Mapping[str, Mapping[str, str]]:
    """Maps each setting for a secret to the task's variables from it, each with the JSON key that the program reads."""
    kind = KINDS[name]
    return {
        credentials_setting(name): {variable(flag): key for flag, key in kind.secret_flags.items()},
        "webhookSecretName": {variable(kind.webhook_flag): WEBHOOK_KEY},
    }
