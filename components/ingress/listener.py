"""The HTTPS listener that forwards requests to the server: the stack's own, or one of an existing load balancer."""

import dataclasses

import pulumi

__all__ = ["Listener"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listener:
    """The values of a listener and of its load balancer that other resources need."""

    arn: pulumi.Input[str]
    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    metric_name: pulumi.Output[str]
    """The load balancer's dimension in CloudWatch metrics."""
    first_priority: int
    """The first priority of the stack's rules."""
    is_shared: bool
    """Whether the listener also has rules of others, so that the stack's must name its host."""
