"""An ECS service of the stack: the deployment that `pulumi up` waits for, and scaling within a range."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ..context import Context
from .cluster import Cluster
from .deployment_check import DeploymentError, ServiceChange, check_deployment
from .provider_client import provider_client, provider_settings

WORKERS = "Workers"
"""The dimension of the workers' metrics: plan or apply."""
BUSY_PERCENT = "BusyPercent"
"""Commands that run or wait as a share of the places: more than 100 if commands wait. The CPU's load is no measure: a command that
waits for AWS' API is busy without it."""
MOST_BUSY_PERCENT = 70
"""Share of the workers' places that are busy or asked for, at which the service scales."""
_SCALE_OUT_SECONDS, _SCALE_IN_SECONDS = 60, 300


@dataclasses.dataclass(frozen=True, kw_only=True)
class EcsService:
    """One service: the server's, or that of the workers of a kind."""

    parent: pulumi.ComponentResource
    context: Context
    after: Sequence[pulumi.Resource]
    """What the first task needs without references."""
    cluster: Cluster
    label: str
    """The beginning of the logical names."""
    name: str
    """The physical name."""
    task_definition_arn: pulumi.Input[str]
    least: int
    """Tasks. 0: none yet."""
    most: int
    """More than `least`: the service scales."""
    workers: str | None = None
    """The kind of the workers, plan or apply; None for the server."""
    capacity_provider: str
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    overlaps: bool
    """Whether ECS starts the new tasks of a deployment before it stops the old ones."""
    target: aws.ecs.ServiceLoadBalancerArgsDict | None = None
    registry_arn: pulumi.Input[str] | None = None

    def create(self) -> aws.ecs.Service:
        """Register the service, with what waits for its deployment and what scales it."""
        waits = self.context.settings.task.deployment_timeout_minutes > 0
        change = ServiceChange(f"{self.label}-service", self._ecs_client if waits and self.least else None)
        scales = self.most > self.least
        service = aws.ecs.Service(
            f"{self.label}-service",
            name=self.name,
            cluster=self.cluster.arn,
            task_definition=self.task_definition_arn,
            desired_count=self.least,
            deployment_minimum_healthy_percent=100 if self.overlaps else 0,
            deployment_maximum_percent=200 if self.overlaps else 100,
            deployment_controller={"type": "ECS"},
            deployment_circuit_breaker={"enable": True, "rollback": True},
            # ECS enables it by default, rejects it with a maximum of 100%, and would move tasks at any time.
            availability_zone_rebalancing="DISABLED",
            capacity_provider_strategies=[{"capacity_provider": self.capacity_provider, "weight": 1}],
            # Without it, a change of the capacity provider replaces the service.
            force_new_deployment=True,
            platform_version="LATEST",
            network_configuration={
                "subnets": self.subnet_ids,
                "security_groups": [self.security_group_id],
                "assign_public_ip": False,
            },
            load_balancers=[self.target] if self.target else [],
            health_check_grace_period_seconds=60 if self.target else None,
            service_registries={"registry_arn": self.registry_arn} if self.registry_arn else None,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=False,
            tags=self.context.tags,
            opts=pulumi.ResourceOptions(
                parent=self.parent,
                depends_on=[*self.cluster.after, *self.after],
                hooks=change.hooks,
                # Application Auto Scaling sets it, and moves it into the range whenever the range changes:
                # https://docs.aws.amazon.com/autoscaling/application/userguide/getting-started.html
                ignore_changes=["desiredCount"] if scales else None,
            ),
        )
        if waits:
            self._check(service, change)
        if scales:
            self._scale(service)
        return service

    def _check(self, service: aws.ecs.Service, change: ServiceChange) -> None:
        target_group = self.target and self.target.get("target_group_arn")
        check_deployment(
            f"{self.label}-deployment",
            service,
            self.name,
            started_by={
                "cluster": self.cluster.arn,
                "taskDefinition": self.task_definition_arn,
                "desiredCount": self.least,
                "capacityProvider": self.capacity_provider,
                "subnets": self.subnet_ids,
                "securityGroup": self.security_group_id,
                **({"targetGroup": target_group} if target_group else {}),
            },
            change=change,
            ecs_client=self._ecs_client,
            minutes=self.context.settings.task.deployment_timeout_minutes,
            parent=self.parent,
        )

    def _scale(self, service: aws.ecs.Service) -> None:
        """Keep the share of busy places near `MOST_BUSY_PERCENT`. ECS doesn't end a worker that is protected by a command."""
        opts = pulumi.ResourceOptions(parent=self.parent)
        target = aws.appautoscaling.Target(
            f"{self.label}-scaling",
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", self.cluster.name, "/", service.name),
            min_capacity=self.least,
            max_capacity=self.most,
            tags=self.context.tags,
            opts=opts,
        )
        aws.appautoscaling.Policy(
            f"{self.label}-scaling-busy",
            name="busy",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "target_value": MOST_BUSY_PERCENT,
                "scale_out_cooldown": _SCALE_OUT_SECONDS,
                "scale_in_cooldown": _SCALE_IN_SECONDS,
                "customized_metric_specification": {
                    "namespace": self.context.names.metrics,
                    "metric_name": BUSY_PERCENT,
                    "statistic": "Average",
                    "dimensions": [{"name": WORKERS, "value": self.workers or ""}],
                },
            },
            opts=opts,
        )

    async def _ecs_client(self) -> Any:
        """The client with which the deployment is followed.

        Raises:
            DeploymentError: its credentials are of another account than the deployment.
        """
        names, settings = self.context.names, await provider_settings(self.parent)
        if (role_arn := self.context.settings.task.deployment_role_arn) is not None:
            role = await pulumi.Output.from_input(role_arn).future()
            settings = {**settings, "assumeRoles": [*(settings.get("assumeRoles") or []), {"roleArn": role}]}
        sts = await asyncio.to_thread(provider_client, "sts", names.region, settings)
        found = (await asyncio.to_thread(sts.get_caller_identity))["Account"]
        if found != names.account:
            # The roles of an explicit provider can't be read, so these credentials differ from those of the deployment.
            raise DeploymentError(
                f"The deployment of {self.name} can't be followed: the credentials at hand are of account {found}, and the provider of "
                f"this component deploys into {names.account}. Set deploymentRoleArn to the role that the provider assumes, or "
                "deploymentTimeoutMinutes to 0, with which the deployment isn't waited for (docs/component.md)."
            )
        return await asyncio.to_thread(provider_client, "ecs", names.region, settings)
