"""Compute: the cluster, task definition, service and logs of the single Atlantis task."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import CustomerKey, CustomerKeyInputs, by_cloudwatch_logs
from ..logs import log_archive
from ..outputs import declared_outputs
from ..settings.groups import ConfigurationArgs, ServerArgs, TaskArgs, TerraformArgs
from ..storage.locking import LockingDatabase
from . import isolation, task_protection
from .deployment_check import DeploymentCheck, DeploymentCheckInputs, ServiceChange
from .isolation import IsolationInputs
from .provider_client import provider_client, provider_settings
from .server_container import (
    CONTAINER,
    DATA_DIRECTORY,
    DATA_VOLUME,
    IMAGE_GROUP,
    ServerContainerInputs,
    github_app_secrets,
    server_container,
)
from .task_protection import TaskProtectionInputs

NFS = 2049


@dataclasses.dataclass(kw_only=True)
class ComputeInputs:
    """The task, its configuration and its network."""

    context: Context
    task: TaskArgs
    """Size, capacity provider and count. Two servers must not share a data directory for long, with either kind of locking."""
    server: ServerArgs
    configuration: ConfigurationArgs
    terraform: TerraformArgs
    """Whether Terraform runs in containers of its own."""
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
    github_app_secret_arn: pulumi.Input[str]
    webhook_secret_arn: pulumi.Input[str]
    web_password_secret_arn: pulumi.Input[str] | None
    """None if the server requires no password."""
    locking_database: LockingDatabase | None
    """None: the locks are in a file in the data directory, which only one server at a time can open."""
    execution_role_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    after: Sequence[pulumi.ComponentResource]
    """Components that the first task needs without references: mount targets, role policies, secret values, listener rules."""


class Compute(pulumi.ComponentResource):
    """An ECS service that runs a single Fargate task."""

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_definition_revision: pulumi.Output[int]
    log_group_name: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]
    log_key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ComputeInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Compute", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        log_group = self._log_group()
        cluster = self._cluster()
        capacity = self._capacity(cluster)
        task_definition = self._task_definition(log_group)
        change = ServiceChange(f"{name}-service")
        service = self._service(cluster, capacity, task_definition, change)
        if args.task.deployment_timeout_minutes:
            self._check(cluster, service, task_definition, change)

        self.cluster_id = cluster.arn
        self.cluster_name = cluster.name
        self.service_name = service.name
        self.task_definition_arn = task_definition.arn
        self.task_definition_revision = task_definition.revision
        self.log_group_name = log_group.name
        self.log_group_arn = log_group.arn
        self.register_outputs(declared_outputs(self))

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        args, names = self._args, self._args.context.names
        key = CustomerKey(
            f"{self.pulumi_resource_name}-logs-key",
            CustomerKeyInputs(
                context=args.context,
                store="logs",
                description=f"Atlantis {names.environment}: the task's log",
                users=[
                    by_cloudwatch_logs(names, names.log_group_arn),
                    *(log_archive.key_users(names) if args.archives_log else ()),
                ],
            ),
            self._child,
        )
        self.log_key_arn = key.arn
        return aws.cloudwatch.LogGroup(
            f"{self.pulumi_resource_name}-logs",
            name=names.log_group,
            kms_key_id=key.arn,
            retention_in_days=args.log_retention_days,
            tags=args.context.tags,
            opts=self._child,
        )

    def _cluster(self) -> aws.ecs.Cluster:
        return aws.ecs.Cluster(
            f"{self.pulumi_resource_name}-cluster",
            name=self._args.context.names.base,
            settings=[{"name": "containerInsights", "value": "enabled"}],
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _capacity(self, cluster: aws.ecs.Cluster) -> aws.ecs.ClusterCapacityProviders:
        return aws.ecs.ClusterCapacityProviders(
            f"{self.pulumi_resource_name}-capacity",
            cluster_name=cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
            opts=self._child,
        )

    def _task_definition(self, log_group: aws.cloudwatch.LogGroup) -> aws.ecs.TaskDefinition:
        args = self._args
        return aws.ecs.TaskDefinition(
            f"{self.pulumi_resource_name}-task",
            family=args.context.names.base,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.task.cpu),
            memory=str(args.task.memory),
            # Fargate provides 20 GiB by default, and accepts only larger sizes here.
            ephemeral_storage={"size_in_gib": args.task.ephemeral_storage}
            if args.task.ephemeral_storage > 20
            else None,
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": args.task.cpu_architecture},
            execution_role_arn=args.execution_role_arn,
            task_role_arn=args.task_role_arn,
            volumes=[
                {
                    "name": DATA_VOLUME,
                    "efs_volume_configuration": {
                        "file_system_id": args.file_system_id,
                        "transit_encryption": "ENABLED",
                        "transit_encryption_port": NFS,
                        "authorization_config": {"access_point_id": args.access_point_id, "iam": "ENABLED"},
                    },
                },
                *(isolation.volumes() if args.terraform.isolates else ()),
            ],
            container_definitions=pulumi.Output.json_dumps(
                [
                    server_container(self._server(log_group)),
                    *(
                        isolation.containers(self._isolation(log_group))
                        if args.terraform.isolates
                        else [task_protection.container(self._protection(log_group))]
                    ),
                ]
            ),
            tags=args.context.tags,
            opts=self._child,
        )

    @property
    def _image(self) -> pulumi.Input[str]:
        task = self._args.task
        return task.image or pulumi.Output.concat(self._args.repository_url, ":", task.image_tag)

    def _server(self, log_group: aws.cloudwatch.LogGroup) -> ServerContainerInputs:
        args = self._args
        return ServerContainerInputs(
            context=args.context,
            settings=args.server,
            configuration=args.configuration,
            value_from=args.value_from,
            stop_timeout=args.task.stop_timeout,
            image=self._image,
            url=args.url,
            container_port=args.task.container_port,
            posix_uid=args.posix_uid,
            github_app_secret_arn=args.github_app_secret_arn,
            webhook_secret_arn=args.webhook_secret_arn,
            web_password_secret_arn=args.web_password_secret_arn,
            locking_database=args.locking_database,
            log_group_name=log_group.name,
            isolates=args.terraform.isolates,
        )

    def _isolation(self, log_group: aws.cloudwatch.LogGroup) -> IsolationInputs:
        args = self._args
        return IsolationInputs(
            names=args.context.names,
            image=self._image,
            server_user=f"{args.posix_uid}:{IMAGE_GROUP}",
            data_directory=DATA_DIRECTORY,
            port=args.task.container_port,
            memory=args.task.memory,
            stop_timeout=args.task.stop_timeout,
            github_hostname=args.server.github_hostname,
            github_app_secrets=github_app_secrets(args.github_app_secret_arn),
            module_repositories=args.terraform.module_repositories,
            log_group=log_group.name,
        )

    def _protection(self, log_group: aws.cloudwatch.LogGroup) -> TaskProtectionInputs:
        return TaskProtectionInputs(
            image=self._image,
            user=f"{self._args.posix_uid}:{IMAGE_GROUP}",
            port=self._args.task.container_port,
            log_group=log_group.name,
            region=self._args.context.names.region,
        )

    def _service(
        self,
        cluster: aws.ecs.Cluster,
        capacity: pulumi.Resource,
        task_definition: aws.ecs.TaskDefinition,
        change: ServiceChange,
    ) -> aws.ecs.Service:
        args = self._args
        return aws.ecs.Service(
            f"{self.pulumi_resource_name}-service",
            name=args.context.names.base,
            cluster=cluster.arn,
            task_definition=task_definition.arn,
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
            load_balancers=[
                {
                    "target_group_arn": args.target_group_arn,
                    "container_name": CONTAINER,
                    "container_port": args.task.container_port,
                }
            ],
            health_check_grace_period_seconds=60,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=False,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[capacity, *args.after], hooks=change.hooks),
        )

    def _check(
        self,
        cluster: aws.ecs.Cluster,
        service: aws.ecs.Service,
        task_definition: aws.ecs.TaskDefinition,
        change: ServiceChange,
    ) -> None:
        args = self._args
        DeploymentCheck(
            f"{self.pulumi_resource_name}-deployment",
            DeploymentCheckInputs(
                service=service,
                cluster_arn=cluster.arn,
                service_name=args.context.names.base,
                task_definition_arn=task_definition.arn,
                desired_count=args.task.desired_count,
                starts_deployment={
                    "capacityProvider": args.task.capacity_provider,
                    "subnets": args.private_subnet_ids,
                    "securityGroup": args.security_group_id,
                    "targetGroup": args.target_group_arn,
                },
                timeout_minutes=args.task.deployment_timeout_minutes,
                ecs_client=self._ecs_client,
            ),
            change,
            self._child,
        )

    async def _ecs_client(self) -> Any:
        names, settings = self._args.context.names, await provider_settings(self)
        sts = await asyncio.to_thread(provider_client, "sts", names.region, settings)
        found = (await asyncio.to_thread(sts.get_caller_identity))["Account"]
        if found != names.account:
            # The roles of an explicit provider can't be read, so these credentials differ from those of the deployment.
            pulumi.log.warn(
                f"The deployment isn't waited for: the credentials at hand are of account {found}, and the provider of this "
                f"component deploys into {names.account}. Set its roles as aws:assumeRoles, or use credentials of the account.",
                resource=self,
            )
            return None
        return await asyncio.to_thread(provider_client, "ecs", names.region, settings)
