"""The parts that the stack file names as existing: others use them too, so the adoption leaves them as they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Existing:
    """What the stack uses and doesn't manage. An empty string: the stack has a separate part."""

    listener_arn: str = ""
    """`httpsListenerArn`."""
    group_id: str = ""
    """`loadBalancerSecurityGroupId`."""
    cluster_name: str = ""
    """`clusterName`."""
    rule_priority: int = 0
    """`listenerRulePriority`."""


NOTHING = Existing()


def existing_of(settings: Mapping[str, Any]) -> Existing:
    """The existing parts in `settings` (key without the namespace to value)."""
    priority = settings.get("listenerRulePriority")
    return Existing(
        listener_arn=str(settings.get("httpsListenerArn") or ""),
        group_id=str(settings.get("loadBalancerSecurityGroupId") or ""),
        cluster_name=str(settings.get("clusterName") or ""),
        rule_priority=priority if isinstance(priority, int) else 0,
    )


def load_balancer_arn(listener_arn: str) -> str:
    """The ARN of the load balancer of a listener, which contains its name and ID."""
    return listener_arn.replace(":listener/", ":loadbalancer/").rpartition("/")[0]
