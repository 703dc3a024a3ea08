"""Compute: the cluster, task definition, service and logs of the single Atlantis task."""

import asyncio
from typing import Any

import pulumi
import pulumi_aws as aws

from ..encryption import CustomerKey, CustomerKeyInputs, by_cloudwatch_logs
from ..logs import log_archive
from ..outputs import declared_outputs, output
from .cluster import Cluster
from .deployment_check import DeploymentCheck, DeploymentCheckInputs, DeploymentError, ServiceChange
from .inputs import ComputeInputs
from .provider_client import provider_client, provider_settings
from .server_container import CONTAINER
from .task_definition import TaskLogs, task_definition

__all__ = ["Compute", "ComputeInputs"]


class Compute(pulumi.ComponentResource):
    """An ECS service that runs a single Fargate task."""

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_definition_revision: pulumi.Output[int]
    log_group_name: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]
    log_key_arn: pulumi.Input[str]
    agent_log_group_name: pulumi.Input[str] | None
    """None without drift detection."""

    def __init__(self, name: str, args: ComputeInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Compute", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        self.log_key_arn = args.existing.log_key_arn or self._log_key()
        log_group = self._log_group()
        cluster = args.cluster or self._cluster()
        agent_log_group = self._agent_log_group() if args.drift.enabled else None
        logs = TaskLogs(log_group.name, agent_log_group.name if agent_log_group else None)
        task = task_definition(f"{name}-task", args, logs, self._child)
        waits = args.task.deployment_timeout_minutes > 0
        change = ServiceChange(f"{name}-service", self._ecs_client if waits and args.task.desired_count else None)
        service = self._service(cluster, task, change)
        if waits:
            self._check(cluster, service, task, change)

        self.cluster_id = output(cluster.arn)
        self.cluster_name = output(cluster.name)
        self.service_name = service.name
        self.task_definition_arn = task.arn
        self.task_definition_revision = task.revision
        self.log_group_name = log_group.name
        self.log_group_arn = log_group.arn
        self.agent_log_group_name = logs.agent_group
        self.register_outputs(declared_outputs(self))

    def _log_key(self) -> pulumi.Output[str]:
        args, names = self._args, self._args.context.names
        return CustomerKey(
            f"{self.pulumi_resource_name}-logs-key",
            CustomerKeyInputs(
                context=args.context,
                store="logs",
                description=f"Atlantis {names.environment}: the task's log",
                users=[
                    by_cloudwatch_logs(names, names.log_group_arn),
                    *([by_cloudwatch_logs(names, names.agent_log_group_arn)] if args.drift.enabled else ()),
                    *(log_archive.key_users(names) if args.archives_log else ()),
                ],
            ),
            self._child,
        ).arn

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self.pulumi_resource_name}-logs",
            name=self._args.context.names.log_group,
            kms_key_id=self.log_key_arn,
            retention_in_days=self._args.log_retention_days,
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _agent_log_group(self) -> aws.cloudwatch.LogGroup:
        """The agent's own log: metrics come from it, and a plan's output is in the other one."""
        return aws.cloudwatch.LogGroup(
            f"{self.pulumi_resource_name}-agent-logs",
            name=self._args.context.names.agent_log_group,
            kms_key_id=self.log_key_arn,
            retention_in_days=self._args.log_retention_days,
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

    def _service(
        self,
        cluster: Cluster,
        task: aws.ecs.TaskDefinition,
        change: ServiceChange,
    ) -> aws.ecs.Service:
        args = self._args
        return aws.ecs.Service(
            f"{self.pulumi_resource_name}-service",
            name=args.context.names.base,
            cluster=cluster.arn,
            task_definition=task.arn,
            desired_count=args.task.desired_count,
            # With a lock file, ECS stops the old task before it starts the new one, because only one server can open
            # the file. With a database, ECS starts the new task first.
            deployment_minimum_healthy_percent=100 if args.locking_database else 0,
            deployment_maximum_percent=200 if args.locking_database else 100,
            deployment_controller={"type": "ECS"},
            deployment_circuit_breaker={"enable": True, "rollback": True},
            # ECS enables it by default, rejects it with a maximum of 100%, and would move the task at any time.
            availability_zone_rebalancing="DISABLED",
            capacity_provider_strategies=[{"capacity_provider": args.task.capacity_provider, "weight": 1}],
            # Without it, a change of the capacity provider replaces the service.
            force_new_deployment=True,
            platform_version="LATEST",
            network_configuration={
                "subnets": args.private_subnet_ids,
                "security_groups": [args.security_group_id],
                "assign_public_ip": False,
            },
            load_balancers=self._targets(),
            health_check_grace_period_seconds=60 if args.target_group_arn else None,
            service_registries=(
                {"registry_arn": args.existing.service_registry_arn} if args.existing.service_registry_arn else None
            ),
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=False,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*cluster.after, *args.after], hooks=change.hooks),
        )

    def _targets(self) -> list[aws.ecs.ServiceLoadBalancerArgsDict]:
        if self._args.target_group_arn is None:
            return []
        target: aws.ecs.ServiceLoadBalancerArgsDict = {
            "target_group_arn": self._args.target_group_arn,
            "container_name": CONTAINER,
            "container_port": self._args.task.container_port,
        }
        return [target]

    def _check(
        self,
        cluster: Cluster,
        service: aws.ecs.Service,
        task: aws.ecs.TaskDefinition,
        change: ServiceChange,
    ) -> None:
        args = self._args
        DeploymentCheck(
            f"{self.pulumi_resource_name}-deployment",
            DeploymentCheckInputs(
                service=service,
                cluster_arn=cluster.arn,
                service_name=args.context.names.base,
                task_definition_arn=task.arn,
                desired_count=args.task.desired_count,
                starts_deployment={
                    "capacityProvider": args.task.capacity_provider,
                    "subnets": args.private_subnet_ids,
                    "securityGroup": args.security_group_id,
                    **({"targetGroup": args.target_group_arn} if args.target_group_arn else {}),
                },
                timeout_minutes=args.task.deployment_timeout_minutes,
                ecs_client=self._ecs_client,
            ),
            change,
            self._child,
        )

    async def _ecs_client(self) -> Any:
        """The client with which the deployment is followed.

        Raises:
            DeploymentError: its credentials are of another account than the deployment.
        """
        names, settings = self._args.context.names, await provider_settings(self)
        if self._args.task.deployment_role_arn is not None:
            role = await pulumi.Output.from_input(self._args.task.deployment_role_arn).future()
            settings = {**settings, "assumeRoles": [*(settings.get("assumeRoles") or []), {"roleArn": role}]}
        sts = await asyncio.to_thread(provider_client, "sts", names.region, settings)
        found = (await asyncio.to_thread(sts.get_caller_identity))["Account"]
        if found != names.account:
            # The roles of an explicit provider can't be read, so these credentials differ from those of the deployment.
            raise DeploymentError(
                f"The deployment of {names.base} can't be followed: the credentials at hand are of account {found}, and the provider of "
                f"this component deploys into {names.account}. Set deploymentRoleArn to the role that the provider assumes, or "
                "deploymentTimeoutMinutes to 0, with which the deployment isn't waited for (docs/component.md)."
            )
        return await asyncio.to_thread(provider_client, "ecs", names.region, settings)
