"""The settings of the host of the repositories, and what depends on its kind."""

from collections.abc import Sequence

from pulumi import Input

from ..configuration.vcs import APP, KINDS, Vcs
from . import accepted, values
from .schema import Group, group, setting


@group
class VcsArgs(Group):
    """The host of the repositories, if the server doesn't authenticate as a GitHub App."""

    vcs_kind: str = setting(values.one_of(tuple(KINDS)), default=APP)
    """Host of the repositories and the server's credentials: github-app, github (a user's token), gitlab, gitea, bitbucket-cloud,
    bitbucket-server or azure-devops"""
    vcs_host: str | None = setting(values.host, default=None)
    """Host name of GitLab, Gitea, Bitbucket Server or Azure DevOps, reached over HTTPS on port 443. Empty: gitlab.com,
    bitbucket.org or dev.azure.com. GitHub has githubHostname"""
    vcs_user: str | None = setting(accepted.vcs_user, default=None)
    """Name of the user whose token the server uses. Required, except with github-app"""
    vcs_token_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Name of an existing secret with the user's token under the key token. Empty: a new secret without a value, which you set. Not
    with github-app"""
    vcs_webhook_cidr_blocks: Sequence[str] = setting(accepted.cidr_blocks, default=())
    """CIDR blocks from which the host sends webhooks, only with POST /events. Empty: those that gitlab.com, bitbucket.org or
    dev.azure.com publishes (components/configuration/webhook_ranges.json). GitHub has githubWebhookCidrBlocks"""

    @property
    def kind(self) -> Vcs:
        """The flags and secrets of the kind."""
        return KINDS[self.vcs_kind]

    @property
    def is_app(self) -> bool:
        """Whether the server authenticates as a GitHub App."""
        return self.vcs_kind == APP

    @property
    def is_github(self) -> bool:
        """Whether the repositories are on GitHub, as an App or as a user."""
        return self.kind.webhook_flag == "gh-webhook-secret"
