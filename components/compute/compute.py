"""Compute: the cluster, the services of the server and of the workers, and their logs."""

import pulumi
import pulumi_aws as aws

from ..encryption import CustomerKey, by_cloudwatch_logs
from ..logs import log_archive
from ..outputs import declared_outputs, output
from ..settings.workers import WorkerGroup
from .cluster import Cluster
from .inputs import ComputeInputs, TaskLogs
from .server_container import CONTAINER
from .service import EcsService
from .task_definition import server_task, worker_task

__all__ = ["Compute", "ComputeInputs"]


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

    def __init__(self, name: str, args: ComputeInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Compute", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        isolates = args.settings.terraform.isolates

        self.log_key_arn = args.settings.existing.log_key_arn or self._log_key()
        log_group = self._log_group("logs", args.context.names.log_group)
        agent_log_group = self._log_group("agent-logs", args.context.names.agent_log_group) if isolates else None
        logs = TaskLogs(log_group.name, agent_log_group.name if agent_log_group else None)
        cluster = args.cluster or self._cluster()
        task = server_task(f"{name}-task", args, logs, self._child)
        server = self._server(cluster, task).create()
        for group in args.settings.worker_groups:
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

    def _log_key(self) -> pulumi.Output[str]:
        args, names = self._args, self._args.context.names
        groups = [names.log_group_arn, *([names.agent_log_group_arn] if args.settings.terraform.isolates else ())]
        return CustomerKey(
            f"{self.pulumi_resource_name}-logs-key",
            args.context,
            store="logs",
            description=f"Atlantis {names.environment}: the task's log",
            users=[
                by_cloudwatch_logs(names, *groups),
                *(log_archive.key_users(names) if args.settings.operations.log_archive_days else ()),
            ],
            opts=self._child,
        ).arn

    def _log_group(self, label: str, physical_name: str) -> aws.cloudwatch.LogGroup:
        """The log of the tasks or, apart from it, that of the agent: metrics come from it, and no plan writes to it."""
        return aws.cloudwatch.LogGroup(
            f"{self.pulumi_resource_name}-{label}",
            name=physical_name,
            kms_key_id=self.log_key_arn,
            retention_in_days=self._args.settings.operations.log_retention_days,
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _cluster(self) -> Cluster:
        cluster = aws.ecs.Cluster(
            f"{self.pulumi_resource_name}-cluster",
            name=self._args.context.names.base,
            settings=[{"name": "containerInsights", "value": "enabled"}],
            tags=self._args.context.tags,
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
        args, settings = self._args, self._args.settings
        target: aws.ecs.ServiceLoadBalancerArgsDict | None = None
        if args.target_group_arn is not None:
            port = settings.task.container_port
            target = {"target_group_arn": args.target_group_arn, "container_name": CONTAINER, "container_port": port}
        return EcsService(
            parent=self,
            inputs=args,
            cluster=cluster,
            label=self.pulumi_resource_name,
            name=args.context.names.base,
            task_definition_arn=task.arn,
            least=settings.task.desired_count,
            most=settings.task.desired_count,
            capacity_provider=settings.task.capacity_provider,
            subnet_ids=args.private_subnet_ids,
            security_group_id=args.security_group_id,
            # With a lock file, ECS stops the old task first, because only one server can open the file.
            overlaps=args.locking_database is not None,
            target=target,
            registry_arn=settings.existing.service_registry_arn,
        )

    def _workers(self, cluster: Cluster, group: WorkerGroup, logs: TaskLogs) -> EcsService:
        args, runs = self._args, self._args.settings.task.desired_count
        label = f"{self.pulumi_resource_name}-{group.role}"
        task = worker_task(f"{label}-task", args, group, logs, self._child)
        return EcsService(
            parent=self,
            inputs=args,
            cluster=cluster,
            label=label,
            name=args.context.names.workers(group.role),
            task_definition_arn=task.arn,
            # Without the server, none: the image and the secrets may not exist yet.
            least=group.least * runs,
            most=group.most * runs,
            workers=group.role,
            capacity_provider=group.capacity_provider,
            subnet_ids=group.subnet_ids or args.private_subnet_ids,
            security_group_id=args.worker_security_group_ids[group.role],
            overlaps=True,
        )
