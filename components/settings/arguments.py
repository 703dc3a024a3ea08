"""The arguments of one Atlantis: all groups of settings, and values that depend on several of them."""

import dataclasses
from collections.abc import Sequence

import pulumi

from ..configuration.vcs import published_ranges
from . import accepted, groups, values
from .extra_containers import parameter_arn
from .outbound import OutboundArgs
from .schema import Group, group, setting
from .workers import ROLES, WorkerGroup, WorkersArgs


@group
class AtlantisArgs(Group):
    """The arguments of one Atlantis.

    Values that are only passed on to resources can be outputs (`pulumi.Input`); they are validated when they become known. All
    others must be known before the deployment, because the resources, their names or the checks of other settings depend on them.
    """

    environment: str = setting(accepted.environment)
    """Part of every physical name (atlantis-<environment>): 1 to 14 lower case letters, digits and hyphens"""
    base_name: str | None = setting(accepted.base_name, default=None)
    """Cluster, service, task family and load balancer of an adopted stack. Empty: atlantis-<environment>"""
    regional_iam_names: bool = setting(values.boolean, default=False)
    """Add the region to names of IAM roles and policies, for an environment in two regions of one account. A change replaces
    the roles"""
    network: groups.NetworkArgs = dataclasses.field(default_factory=groups.NetworkArgs)
    """The VPC. Default: a new VPC"""
    existing: groups.ExistingArgs = dataclasses.field(default_factory=groups.ExistingArgs)
    """Existing parts that the stack uses instead of creating them. Default: none"""
    ingress: groups.IngressArgs
    """Access to the server: allowed ranges, host name, certificate and load balancer"""
    storage: groups.StorageArgs = dataclasses.field(default_factory=groups.StorageArgs)
    """The file system and the locking database"""
    task: groups.TaskArgs = dataclasses.field(default_factory=groups.TaskArgs)
    """The ECS task: its image, size, capacity provider and containers of your own"""
    outbound: OutboundArgs = dataclasses.field(default_factory=OutboundArgs)
    """The task's way to other networks: certificate authorities and a proxy. Default: the public ones, and no proxy"""
    server: groups.ServerArgs
    """The Atlantis server: its repositories and its credentials"""
    vcs: groups.VcsArgs = dataclasses.field(default_factory=groups.VcsArgs)
    """The host of the repositories. Default: GitHub, as a GitHub App"""
    sign_in: groups.SignInArgs = dataclasses.field(default_factory=groups.SignInArgs)
    """Sign-in to the web page. Default: a generated password"""
    configuration: groups.ConfigurationArgs = dataclasses.field(default_factory=groups.ConfigurationArgs)
    """The server's flags, the rules for repositories, and secrets for workflows"""
    terraform: groups.TerraformArgs = dataclasses.field(default_factory=groups.TerraformArgs)
    """The permissions of Terraform"""
    workers: WorkersArgs = dataclasses.field(default_factory=WorkersArgs)
    """The tasks that plans and applies run in, with terraformIsolation tasks"""
    drift: groups.DriftArgs = dataclasses.field(default_factory=groups.DriftArgs)
    """Drift detection. Default: none"""
    operations: groups.OperationsArgs = dataclasses.field(default_factory=groups.OperationsArgs)
    """Logs, alarms, tags and protection"""

    @property
    def tags(self) -> dict[str, pulumi.Input[str]]:
        """The tags of every resource that supports tags."""
        tags: dict[str, pulumi.Input[str]] = {
            "Environment": self.environment,
            "Service": "atlantis",
            "ManagedBy": "pulumi",
            "Project": "atlantis",
            "Team": self.operations.team,
            "Owner": self.operations.owner,
            "DataClass": self.operations.data_class,
        }
        tags |= {"CostCenter": self.operations.cost_center} if self.operations.cost_center else {}
        return {**tags, **self.operations.tags}

    @property
    def vpc_endpoints(self) -> list[str]:
        """The VPC endpoints to create."""
        own, needs = self.network, self.uses_parameters
        by_default = [accepted.PARAMETERS_ENDPOINT] if needs and accepted.AUTO_ENDPOINTS in own.vpc_endpoints else []
        return [*own.endpoints, *(by_default if own.endpoints else ())]

    @property
    def worker_groups(self) -> list[WorkerGroup]:
        """The workers' services; none without terraformIsolation."""
        return [self.workers.of(role) for role in ROLES] if self.terraform.isolates else []

    @property
    def uses_parameters(self) -> bool:
        """Whether a secret is a parameter of Systems Manager. The ARNs that are outputs don't count."""
        extra = (arn for each in self.task.extra_containers for arn in each.secrets.values())
        return self.configuration.uses_parameters or any(isinstance(arn, str) and parameter_arn(arn) for arn in extra)

    @property
    def repository_host(self) -> str:
        """The host name of the repositories; empty if the kind has no public host and none is set, which is refused."""
        if self.vcs.is_github:
            return self.server.github_hostname
        return self.vcs.vcs_host or self.vcs.kind.host or ""

    @property
    def webhook_cidr_blocks(self) -> Sequence[str]:
        """The CIDR blocks from which webhooks are allowed. Without a load balancer, there are no rules for them."""
        if not self.ingress.has_load_balancer:
            return ()
        given = self.ingress.github_webhook_cidr_blocks if self.vcs.is_github else self.vcs.vcs_webhook_cidr_blocks
        return given or published_ranges(self.repository_host)

    @property
    def webhook_ranges_key(self) -> str:
        """The setting with these blocks."""
        return "githubWebhookCidrBlocks" if self.vcs.is_github else "vcsWebhookCidrBlocks"

    @property
    def webhook_sources(self) -> list[str]:
        """The CIDR blocks of webhooks that can reach the load balancer."""
        return self.ingress.reachable_from(self.webhook_cidr_blocks)

    @property
    def credentials_secret_name(self) -> pulumi.Input[str] | None:
        """The name of the existing secret with the credentials for the host of the repositories; None if the stack creates it."""
        return self.server.github_app_secret_name if self.vcs.is_app else self.vcs.vcs_token_secret_name

    @property
    def existing_secret_names(self) -> list[pulumi.Input[str]]:
        """The names of the existing secrets that the stack uses."""
        names = (
            self.credentials_secret_name,
            self.server.webhook_secret_name,
            self.sign_in.oidc_client_secret_name,
        )
        return [name for name in names if name is not None]


@group
class Settings(AtlantisArgs):
    """Arguments that are valid as a whole, for one region."""

    region: str
    """The AWS region."""
