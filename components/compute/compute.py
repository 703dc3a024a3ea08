"""Compute: the cluster, the services of the server and of the workers, and their logs."""

import pulumi
import pulumi_aws as aws

from ..encryption import CustomerKey, by_cloudwatch_logs
from ..ingress.ingress import Ingress
from ..logs import log_archive
from ..outputs import declared_outputs, output
from ..parts import Parts
from ..permissions.permissions import Permissions
from ..settings.workers import WorkerGroup
from .cluster import Cluster
from .container import TaskLogs
from .server_container import CONTAINER
from .service import EcsService
from .task_definition import server_task, worker_task


class Compute(pulumi.ComponentResource):
    """ECS services on Fargate: a single task for the server, and the workers."""

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_definition_revision: pulumi.Output[int]
    log_group_name: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]
    log_key_arn: pulumi.Input[str]
    agent_log_group_name: pulumi.Input[str] | None
    """None without terraformIsolation."""

    def __init__(
        self,
        name: str,
        parts: Parts,
        *,
        permissions: Permissions,
        ingress: Ingress | None,
        existing_cluster: Cluster | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("atlantis:index:Compute", name, None, opts)
        self._parts, self._permissions, self._ingress = parts, permissions, ingress
        self._context, self._settings = parts.context, parts.settings
        self._child = pulumi.ResourceOptions(parent=self)
        names, isolates = parts.context.names, self._settings.terraform.isolates

        self.log_key_arn = self._settings.existing.log_key_arn or self._log_key()
        log_group = self._log_group("logs", names.log_group)
        agent_log_group = self._log_group("agent-logs", names.agent_log_group) if isolates else None
        logs = TaskLogs(log_group.name, agent_log_group.name if agent_log_group else None)
        cluster = existing_cluster or self._cluster()
        task = server_task(f"{name}-task", parts, permissions, logs, opts=self._child)
        server = self._server(cluster, task).create()
        for group in self._settings.worker_groups:
            self._workers(cluster, group, logs).create()

        self.cluster_id = output(cluster.arn)
        self.cluster_name = output(cluster.name)
        self.service_name = server.name
        self.task_definition_arn = task.arn
        self.task_definition_revision = task.revision
        self.log_group_name = log_group.name
        self.log_group_arn = log_group.arn
        self.agent_log_group_name = logs.agent_group
        self.register_outputs(declared_outputs(self))

    @property
    def _after(self) -> list[pulumi.Resource]:
        """What the first task needs without references: mount targets, role policies, secret values, listener rules.

        For the service, not the component: a refresh that finds a dependency deleted can't complete a component.
        """
        parts = self._parts
        return [
            parts.storage,
            self._permissions,
            parts.secrets,
            *(part for part in (self._ingress, parts.locking) if part),
        ]

    def _log_key(self) -> pulumi.Output[str]:
        names, settings = self._context.names, self._settings
        groups = [names.log_group, *([names.agent_log_group] if settings.terraform.isolates else ())]
        return CustomerKey(
            f"{self.pulumi_resource_name}-logs-key",
            self._context,
            store="logs",
            description=f"Atlantis {names.environment}: the task's log",
            users=[
                by_cloudwatch_logs(names, *groups),
                *(log_archive.key_users(names) if settings.operations.log_archive_days else ()),
            ],
            opts=self._child,
        ).arn

    def _log_group(self, label: str, physical_name: str) -> aws.cloudwatch.LogGroup:
        """The log of the tasks or, apart from it, that of the agent: metrics come from it, and no plan writes to it."""
        return aws.cloudwatch.LogGroup(
            f"{self.pulumi_resource_name}-{label}",
            name=physical_name,
            kms_key_id=self.log_key_arn,
            retention_in_days=self._settings.operations.log_retention_days,
            tags=self._context.tags,
            opts=self._child,
        )

    def _cluster(self) -> Cluster:
        cluster = aws.ecs.Cluster(
            f"{self.pulumi_resource_name}-cluster",
            name=self._context.names.base,
            settings=[{"name": "containerInsights", "value": "enabled"}],
            tags=self._context.tags,
            opts=self._child,
        )
        capacity = aws.ecs.ClusterCapacityProviders(
            f"{self.pulumi_resource_name}-capacity",
            cluster_name=cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
            opts=self._child,
        )
        return Cluster(cluster.arn, cluster.name, [capacity])

    def _server(self, cluster: Cluster, task: aws.ecs.TaskDefinition) -> EcsService:
        parts, settings = self._parts, self._settings
        target: aws.ecs.ServiceLoadBalancerArgsDict | None = None
        if self._ingress is not None:
            arn, port = self._ingress.target_group_arn, settings.task.container_port
            target = {"target_group_arn": arn, "container_name": CONTAINER, "container_port": port}
        return EcsService(
            parent=self,
            context=self._context,
            after=self._after,
            cluster=cluster,
            label=self.pulumi_resource_name,
            name=self._context.names.base,
            task_definition_arn=task.arn,
            least=settings.task.desired_count,
            most=settings.task.desired_count,
            capacity_provider=settings.task.capacity_provider,
            subnet_ids=parts.vpc.private_subnet_ids,
            security_group_id=parts.network.tasks_security_group_id,
            # With a lock file, ECS stops the old task first, because only one server can open the file.
            overlaps=parts.locking is not None,
            target=target,
            registry_arn=settings.existing.service_registry_arn,
        )

    def _workers(self, cluster: Cluster, group: WorkerGroup, logs: TaskLogs) -> EcsService:
        parts, runs = self._parts, self._settings.task.desired_count
        label = f"{self.pulumi_resource_name}-{group.role}"
        task = worker_task(f"{label}-task", parts, self._permissions, group, logs, opts=self._child)
        return EcsService(
            parent=self,
            context=self._context,
            after=self._after,
            cluster=cluster,
            label=label,
            name=self._context.names.workers(group.role),
            task_definition_arn=task.arn,
            # Without the server, none: the image and the secrets may not exist yet.
            least=group.least * runs,
            most=group.most * runs,
            workers=group.role,
            capacity_provider=group.capacity_provider,
            subnet_ids=group.subnet_ids or parts.vpc.private_subnet_ids,
            security_group_id=parts.network.worker_security_group_ids[group.role],
            overlaps=True,
        )
