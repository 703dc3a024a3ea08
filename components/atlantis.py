"""Atlantis on AWS: the components of the architecture and how their outputs are wired together."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from .compute.cluster import existing_cluster
from .compute.compute import Compute
from .context import Context, physical_names
from .ingress.existing_listener import existing_listener
from .ingress.ingress import Ingress
from .ingress.sign_in import authenticate
from .logs.log_archive import LogArchive
from .monitoring.alarms import Alarms, Observed
from .monitoring.dashboard import Dashboard
from .monitoring.log_metrics import DriftMetrics, WorkerMetrics
from .network.network import Network
from .network.vpc import vpc_of
from .network.zones import ZONES
from .outputs import output
from .parts import Parts
from .permissions.permissions import Permissions, require_fit
from .preview_warnings import warn
from .secrets.existing_secrets import existing_secrets
from .secrets.secrets import Secrets
from .settings import AtlantisArgs, Settings, in_own_account, validate
from .storage.locking import Locking
from .storage.storage import Storage

ORIGINAL_NAME = "atlantis"
"""The instance of this name keeps the logical names of stacks that were deployed before this component existed."""


class Atlantis(pulumi.ComponentResource):
    """Atlantis (Terraform from pull requests) on ECS Fargate, behind a load balancer, with its data on EFS."""

    url: pulumi.Output[str]
    """URL of the server"""
    webhook_url: pulumi.Output[str]
    """URL that the host of the repositories sends its webhooks to"""
    ecr_repository_url: pulumi.Output[str]
    """URL of the ECR repository, to push the image to"""
    ecr_repository_arn: pulumi.Output[str]
    """ARN of the ECR repository"""
    ecs_cluster_id: pulumi.Output[str]
    """ARN of the ECS cluster"""
    ecs_cluster_name: pulumi.Output[str]
    """Name of the ECS cluster"""
    ecs_service_name: pulumi.Output[str]
    """Name of the ECS service"""
    task_definition_arn: pulumi.Output[str]
    """ARN of the task definition, with its revision"""
    task_definition_revision: pulumi.Output[int]
    """Revision of the task definition"""
    alb_dns_name: pulumi.Output[str]
    """DNS name of the load balancer, for alias records. Empty without a load balancer, as are its other outputs"""
    alb_zone_id: pulumi.Output[str]
    """Hosted zone of the load balancer, for alias records"""
    target_group_arn: pulumi.Output[str]
    """ARN of the target group"""
    alb_security_group_id: pulumi.Output[str]
    """Security group of the load balancer"""
    ecs_tasks_security_group_id: pulumi.Output[str]
    """Security group of the task"""
    ecs_task_execution_role_arn: pulumi.Output[str]
    """Role that starts the task"""
    ecs_task_role_arn: pulumi.Output[str]
    """Role that Terraform runs with"""
    efs_id: pulumi.Output[str]
    """ID of the file system"""
    efs_dns_name: pulumi.Output[str]
    """DNS name of the file system"""
    efs_access_point_id: pulumi.Output[str]
    """ID of the access point that the task mounts"""
    cloudwatch_log_group_name: pulumi.Output[str]
    """Name of the task's log group"""
    cloudwatch_log_group_arn: pulumi.Output[str]
    """ARN of the task's log group"""

    def __init__(self, name: str, args: AtlantisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Creates one Atlantis.

        Args:
            name: the component's name; its children's names begin with it.
            args: the settings, checked before any AWS resource is registered. Values that are outputs are checked when they
                become known.
            opts: options of the component.

        Raises:
            SettingsError: an argument is missing, invalid, unknown or contradicts another.
            pulumi.RunError: the VPC or its subnets don't fit.
        """
        super().__init__("atlantis:index:Atlantis", name, None, opts)
        self._prefix = "" if name == ORIGINAL_NAME else f"{name}-"
        invoke = pulumi.InvokeOptions(parent=self)
        region = args.region if isinstance(args, Settings) else aws.get_region(opts=invoke).region
        settings = validate(args, name=name, region=region)

        # Read once, as plain values, so that the policy pack evaluates most policy documents in a preview.
        caller, partition = aws.get_caller_identity(opts=invoke), aws.get_partition(opts=invoke)
        settings = in_own_account(settings, caller.account_id, name=name)
        names = physical_names(
            settings, account=caller.account_id, partition=partition.partition, dns_suffix=partition.dns_suffix
        )
        context = Context(names=names, settings=settings)
        require_fit(names, settings, zones=ZONES)
        warn(settings, self)
        cluster = existing_cluster(names, self)
        vpc = vpc_of(context, self._named("vpc"), self._part(), parent=self)
        listener = existing_listener(settings.existing, names, vpc.id, self)
        network = Network(self._named("network"), context, vpc, self._part())
        storage = Storage(
            self._named("storage"), context, vpc.private_subnets, network.file_system_security_group_id, self._part()
        )
        secrets = Secrets(self._named("secrets"), context, self._part())
        locking = None
        if network.locking_security_group_id is not None:
            locking = Locking(
                self._named("locking"), context, vpc.private_subnet_ids, network.locking_security_group_id, self._part()
            )
        parts = Parts(
            context=context,
            vpc=vpc,
            network=network,
            storage=storage,
            secrets=secrets,
            locking=locking,
            existing=existing_secrets(settings.configuration, names, self),
        )
        permissions = Permissions(self._named("permissions"), parts, self._part())
        ingress = None
        if (group := network.load_balancer_security_group_id) is not None:
            ingress = Ingress(
                self._named("ingress"),
                context,
                vpc,
                security_group_id=group,
                existing=listener,
                authenticate=authenticate(settings.sign_in, self),
                opts=self._part(),
            )
        compute = Compute(
            self._named("compute"),
            parts,
            permissions=permissions,
            ingress=ingress,
            existing_cluster=cluster,
            opts=self._part(),
        )
        self._observe(Observed(context=context, ingress=ingress, compute=compute, storage=storage, locking=locking))

        self.url = output(settings.ingress.url)
        self.webhook_url = pulumi.Output.concat(settings.ingress.url, "/events")
        self.ecr_repository_url = storage.repository_url
        self.ecr_repository_arn = storage.repository_arn
        self.ecs_cluster_id = compute.cluster_id
        self.ecs_cluster_name = compute.cluster_name
        self.ecs_service_name = compute.service_name
        self.task_definition_arn = compute.task_definition_arn
        self.task_definition_revision = compute.task_definition_revision
        self.alb_dns_name = output(ingress and ingress.dns_name)
        self.alb_zone_id = output(ingress and ingress.zone_id)
        self.target_group_arn = output(ingress and ingress.target_group_arn)
        self.alb_security_group_id = output(network.load_balancer_security_group_id)
        self.ecs_tasks_security_group_id = network.tasks_security_group_id
        self.ecs_task_execution_role_arn = permissions.execution_role_arn
        self.ecs_task_role_arn = permissions.task_role_arn
        self.efs_id = storage.file_system_id
        self.efs_dns_name = storage.file_system_dns_name
        self.efs_access_point_id = storage.access_point_id
        self.cloudwatch_log_group_name = compute.log_group_name
        self.cloudwatch_log_group_arn = compute.log_group_arn
        self.register_outputs(dict(self.outputs))

    @property
    def outputs(self) -> Mapping[str, pulumi.Output[object]]:
        """Every output by name."""
        return {output: getattr(self, output) for output in Atlantis.__annotations__}

    def _observe(self, args: Observed) -> None:
        """The dashboard and, if the settings enable them, the log archive and the alarms."""
        context, compute, settings = args.context, args.compute, args.context.settings
        if settings.operations.log_archive_days:
            LogArchive(
                self._named("log-archive"),
                context,
                log_group_name=compute.log_group_name,
                key_arn=compute.log_key_arn,
                opts=self._part(),
            )
        Dashboard(self._named("dashboard"), args, self._part())
        if compute.agent_log_group_name is not None:
            if settings.drift.enabled:
                DriftMetrics(self._named("drift"), context, compute.agent_log_group_name, self._part())
            WorkerMetrics(self._named("workers"), context, compute.agent_log_group_name, self._part())
        if settings.operations.alarm_topic_arns and settings.task.desired_count:
            Alarms(self._named("alarms"), args, self._part())

    def _named(self, part: str) -> str:
        return f"{self._prefix}{part}"

    def _part(self) -> pulumi.ResourceOptions:
        """Options of a child component. Its alias is for older deployments, in which the stack was the parent."""
        return pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])
