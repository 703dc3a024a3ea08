"""The dimensions of the metrics that the alarms and the dashboard use."""

import dataclasses

import pulumi

__all__ = ["MetricDimensions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricDimensions:
    """The CloudWatch dimensions of one Atlantis."""

    load_balancer: pulumi.Input[str]
    """The last part of its ARN: `app/<name>/<id>`."""
    target_group: pulumi.Input[str]
    """The last part of its ARN: `targetgroup/<name>/<id>`."""
    cluster_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    file_system_id: pulumi.Input[str]
