"""The hosts of repositories that Atlantis serves: the server's flags, the secrets and the published ranges of each kind."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

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
    """The flag with the host; None if the server knows it."""
    host_is_url: bool = False
    """Whether that flag is a URL."""
    fixed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Further flags and their values."""
    path_segments: range = range(1, 3)
    """How many segments the path of an entry of the allowlist can have."""

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
        "github": Vcs(
            title="GitHub",
            host="github.com",
            user_flag="gh-user",
            secret_flags={"gh-token": TOKEN_KEY},
            webhook_flag="gh-webhook-secret",
            host_flag="gh-hostname",
        ),
        "gitlab": Vcs(
            title="GitLab",
            host="gitlab.com",
            user_flag="gitlab-user",
            secret_flags={"gitlab-token": TOKEN_KEY},
            webhook_flag="gitlab-webhook-secret",
            host_flag="gitlab-hostname",
            path_segments=range(1, 22),  # a group has at most 20 levels of subgroups
        ),
        "gitea": Vcs(
            title="Gitea",
            host=None,
            user_flag="gitea-user",
            secret_flags={"gitea-token": TOKEN_KEY},
            webhook_flag="gitea-webhook-secret",
            host_flag="gitea-base-url",
            host_is_url=True,
        ),
        "bitbucket-cloud": Vcs(
            title="Bitbucket Cloud",
            host="bitbucket.org",
            user_flag="bitbucket-user",
            secret_flags={"bitbucket-token": TOKEN_KEY},
            webhook_flag="bitbucket-webhook-secret",
            host_flag=None,
        ),
        "bitbucket-server": Vcs(
            title="Bitbucket Server",
            host=None,
            user_flag="bitbucket-user",
            secret_flags={"bitbucket-token": TOKEN_KEY},
            webhook_flag="bitbucket-webhook-secret",
            host_flag="bitbucket-base-url",
            host_is_url=True,
        ),
        "azure-devops": Vcs(
            title="Azure DevOps",
            host="dev.azure.com",
            user_flag="azuredevops-user",
            secret_flags={"azuredevops-token": TOKEN_KEY},
            webhook_flag="azuredevops-webhook-password",
            host_flag="azuredevops-hostname",
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
