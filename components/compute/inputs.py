"""The inputs of the component Compute, which the task definition reads too."""

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi

from ..context import Context
from ..settings.drift import DriftArgs
from ..settings.existing import ExistingArgs
from ..settings.groups import ConfigurationArgs, ServerArgs, TaskArgs
from ..settings.outbound import OutboundArgs
from ..settings.terraform import TerraformArgs
from ..settings.vcs import VcsArgs
from ..storage.locking import LockingDatabase
from .cluster import Cluster


@dataclasses.dataclass(kw_only=True)
class ComputeInputs:
    """The task, its configuration and its network."""

    context: Context
    task: TaskArgs
    """Size, capacity provider and count. Two servers must not share a data directory for long, with either kind of locking."""
    outbound: OutboundArgs
    """The proxy, and the certificates that the containers trust."""
    vpc_endpoints: Sequence[str]
    """The services that the task reaches inside the VPC, without the proxy."""
    server: ServerArgs
    configuration: ConfigurationArgs
    cluster: Cluster | None
    """The existing cluster; None for a cluster of the stack's own."""
    existing: ExistingArgs
    """The key of the logs, and the registry of the task's address, if they exist."""
    terraform: TerraformArgs
    """Whether Terraform runs in separate containers."""
    drift: DriftArgs
    """What the agent detects drift in."""
    value_from: Mapping[str, pulumi.Input[str]]
    """Additional secrets of the server's environment: ECS secret references by variable name."""
    url: pulumi.Input[str]
    """URL of the server."""
    log_retention_days: int
    archives_log: bool
    """Whether the log group's key also encrypts the log archive."""
    repository_url: pulumi.Input[str]
    """The ECR repository, used if the image is set by its tag only."""
    posix_uid: int
    file_system_id: pulumi.Input[str]
    access_point_id: pulumi.Input[str]
    vcs: VcsArgs
    repository_host: str
    """Host name of the repositories."""
    credentials_secret_arn: pulumi.Input[str]
    """The GitHub App's secret, or the one with the user's token."""
    webhook_secret_arn: pulumi.Input[str]
    web_password_secret_arn: pulumi.Input[str] | None
    """None if the server requires no password."""
    api_secret_arn: pulumi.Input[str] | None
    """None without drift detection."""
    locking_database: LockingDatabase | None
    """None: the locks are in a file in the data directory, which only one server at a time can open."""
    execution_role_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    target_group_arn: pulumi.Input[str] | None
    """None without a load balancer."""
    after: Sequence[pulumi.ComponentResource]
    """Components that the first task needs without references: mount targets, role policies, secret values, listener rules."""
