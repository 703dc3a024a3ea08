"""The hosts of repositories that Atlantis serves: the server's flags, the secrets and the published ranges of each kind."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

APP = "github-app"
TOKEN_KEY, WEBHOOK_KEY = "token", "webhook_secret"
"""The keys of the secrets with the user's token and with the webhook secret."""
WEBHOOK_USER = "atlantis"
"""The user with which Azure DevOps signs in to send an event; the webhook secret is the password."""

_RANGES: Mapping[str, Mapping[str, object]] = json.loads(
    Path(__file__).with_name("webhook_ranges.json").read_text(encoding="utf-8")
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vcs:
    """One kind of host."""

    title: str
    """Its name in messages."""
    host: str | None
    """The public host; None if there is none."""
    user_flag: str | None
    """The flag with the user's name; None for a GitHub App, which has no user."""
    secret_flags: Mapping[str, str]
    """The flags that read the secret of the credentials, with their keys in it."""
    webhook_flag: str
    """The flag with the secret that each event must prove."""
    host_flag: str | None
    """The flag with the host, or with its URL; None if the server knows it."""
    fixed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further flags and their values."""
    path_segments: range = range(1, 3)
    """How many segments the path of an entry of the allowlist can have."""

    @property
    def host_is_url(self) -> bool:
        """Whether the flag with the host is a URL."""
        return (self.host_flag or "").endswith("-url")

    @property
    def flags(self) -> frozenset[str]:
        """Every flag that the stack sets for this kind."""
        named = (self.user_flag, self.webhook_flag, self.host_flag)
        return frozenset([flag for flag in named if flag] + [*self.secret_flags, *self.fixed])

    def values(self, host: str, user: str | None) -> dict[str, str]:
        """The flags that aren't secret, with their values."""
        values = dict(self.fixed)
        if self.host_flag:
            values[self.host_flag] = f"https://{host}" if self.host_is_url else host
        if self.user_flag:
            values[self.user_flag] = user or ""
        return values


def _of_user(
    title: str, prefix: str, host: str | None, host_flag: str | None, webhook: str = "webhook-secret", **more: Any
) -> Vcs:
    """A kind that the server signs in to with a user's token. `prefix`: the beginning of its flags."""
    return Vcs(
        title=title,
        host=host,
        user_flag=f"{prefix}-user",
        secret_flags={f"{prefix}-token": TOKEN_KEY},
        webhook_flag=f"{prefix}-{webhook}",
        host_flag=host_flag,
        **more,
    )


KINDS: Final[Mapping[str, Vcs]] = MappingProxyType(
    {
        APP: Vcs(
            title="GitHub",
            host="github.com",
            user_flag=None,
            secret_flags={
                "gh-app-id": "app_id",
                "gh-app-installation-id": "installation_id",
                "gh-app-key": "private_key",
            },
            webhook_flag="gh-webhook-secret",
            host_flag="gh-hostname",
        ),
        "github": _of_user("GitHub", "gh", "github.com", "gh-hostname"),
        # A group has at most 20 levels of subgroups.
        "gitlab": _of_user("GitLab", "gitlab", "gitlab.com", "gitlab-hostname", path_segments=range(1, 22)),
        "gitea": _of_user("Gitea", "gitea", None, "gitea-base-url"),
        "bitbucket-cloud": _of_user("Bitbucket Cloud", "bitbucket", "bitbucket.org", None),
        "bitbucket-server": _of_user("Bitbucket Server", "bitbucket", None, "bitbucket-base-url"),
        "azure-devops": _of_user(
            "Azure DevOps",
            "azuredevops",
            "dev.azure.com",
            "azuredevops-hostname",
            "webhook-password",
            fixed={"azuredevops-webhook-user": WEBHOOK_USER},
            path_segments=range(1, 4),
        ),
    }
)
"""Every kind by the value of `vcsKind`."""


def published_ranges(host: str) -> tuple[str, ...]:
    """The CIDR blocks from which `host` sends webhooks, as it publishes them; empty if it doesn't."""
    found = _RANGES.get(host, {}).get("ranges", ())
    return tuple(found)  # pyright: ignore[reportArgumentType]
