"""The dimensions of the metrics that the alarms and the dashboard use."""

import dataclasses

import pulumi

__all__ = ["MetricDimensions", "TargetDimensions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetDimensions:
    """The dimensions of the load balancer and of its target group, which receives Atlantis' requests only."""

    load_balancer: pulumi.Input[str]
    """The last part of its ARN: `app/<name>/<id>`."""
    target_group: pulumi.Input[str]
    """The last part of its ARN: `targetgroup/<name>/<id>`."""
    is_shared: bool
    """Whether the load balancer also receives requests of others, which its own metrics count too."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricDimensions:
    """The CloudWatch dimensions of one Atlantis."""

    target: TargetDimensions | None
    """None without a load balancer."""
    cluster_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    file_system_id: pulumi.Input[str]
