"""The inputs of the component Compute, which the task definitions read too."""

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi

from ..context import Context
from ..settings import Settings
from ..storage.locking import LockingDatabase
from . import outbound
from .cluster import Cluster


@dataclasses.dataclass(kw_only=True)
class ComputeInputs:
    """What the tasks and their services need of the other components."""

    context: Context
    cluster: Cluster | None
    """The existing cluster; None for a cluster that the stack creates."""
    value_from: Mapping[str, pulumi.Input[str]]
    """Additional secrets of the server's environment: ECS secret references by variable name."""
    secret_arns: Mapping[str, pulumi.Input[str]]
    """The secrets of the tasks by use, as `Secrets.arns` has them."""
    locking_database: LockingDatabase | None
    """None: the locks are in a file in the data directory, which only one server at a time can open."""
    repository_url: pulumi.Input[str]
    """The ECR repository, used if the image is set by its tag only."""
    file_system_id: pulumi.Input[str]
    access_point_id: pulumi.Input[str]
    execution_role_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    worker_role_arns: Mapping[str, pulumi.Input[str]]
    """The task roles of the workers by kind; empty without terraformIsolation."""
    private_subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    worker_security_group_ids: Mapping[str, pulumi.Input[str]]
    target_group_arn: pulumi.Input[str] | None
    """None without a load balancer."""
    after: Sequence[pulumi.ComponentResource]
    """Components that the first task needs without references: mount targets, role policies, secret values, listener rules."""

    @property
    def settings(self) -> Settings:
        return self.context.settings

    @property
    def image(self) -> pulumi.Input[str]:
        """The image of all containers that the stack defines."""
        task = self.settings.task
        return task.image or pulumi.Output.concat(self.repository_url, ":", task.image_tag)

    @property
    def outbound_environment(self) -> dict[str, str]:
        """The variables of each container for the proxy and the certificates."""
        return outbound.environment(self.settings.outbound, self.context.names, self.settings.vpc_endpoints)


@dataclasses.dataclass(frozen=True)
class TaskLogs:
    """The names of the log groups that the containers write to."""

    group: pulumi.Input[str]
    agent_group: pulumi.Input[str] | None
    """The group of the server's container `agent`, from whose lines metrics are made."""
