"""The HTTPS listener that forwards requests to the server: of an existing load balancer, or the one that the stack creates."""

import dataclasses
import zlib
from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from ..names import PhysicalNames
from ..settings.accepted import MOST_LISTENER_RULES
from ..settings.groups import ExistingArgs


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


def first_priority(settings: ExistingArgs, names: PhysicalNames) -> int:
    """The first priority of the stack's rules.

    It must never change, because rules that change places open the server or deny everyone meanwhile. So the default follows
    from the names, not from the priorities that are free at a time. The first thousand is left to rules that people number.
    """
    return settings.listener_rule_priority or default_priority(names.base)


def default_priority(base_name: str) -> int:
    """The first priority of the rules of a stack with this base name."""
    begin, end = 1024 // MOST_LISTENER_RULES, 50_000 // MOST_LISTENER_RULES
    return MOST_LISTENER_RULES * (begin + zlib.crc32(base_name.encode()) % (end - begin))


def existing_listener(
    settings: ExistingArgs, names: PhysicalNames, vpc_id: pulumi.Input[str], parent: pulumi.Resource
) -> Listener | None:
    """The listener that the settings name; None for a load balancer of the stack's own, or without one.

    Looked up when its ARN is known, before a resource uses it.

    Raises:
        pulumi.RunError: the listener doesn't use HTTPS, or its load balancer is of another VPC or lacks the security group.
    """
    if settings.https_listener_arn is None:
        return None
    options = pulumi.InvokeOutputOptions(parent=parent)
    listener = aws.lb.get_listener_output(arn=settings.https_listener_arn, opts=options)
    balancer = aws.lb.get_load_balancer_output(arn=listener.load_balancer_arn, opts=options)
    checked = pulumi.Output.all(
        arn=settings.https_listener_arn,
        protocol=listener.protocol,
        vpc_id=vpc_id,
        balancer_vpc_id=balancer.vpc_id,
        group=settings.load_balancer_security_group_id,
        groups=balancer.security_groups,
        name=balancer.name,
    ).apply(_checked)
    return Listener(
        arn=checked,
        dns_name=balancer.dns_name,
        zone_id=balancer.zone_id,
        metric_name=balancer.arn_suffix,
        first_priority=first_priority(settings, names),
        is_shared=True,
    )


def _checked(found: dict[str, Any]) -> str:
    """The listener's ARN.

    Raises:
        pulumi.RunError: with everything that doesn't fit.
    """
    groups: Sequence[str] = found["groups"]
    problems = [
        problem
        for problem, applies in {
            f"httpsListenerArn: the listener uses {found['protocol']}, not HTTPS; name the load balancer's HTTPS listener": (
                found["protocol"] != "HTTPS"
            ),
            f"httpsListenerArn: the load balancer {found['name']} is in {found['balancer_vpc_id']}, not in vpcId {found['vpc_id']}": (
                found["balancer_vpc_id"] != found["vpc_id"]
            ),
            f"loadBalancerSecurityGroupId: {found['group']} isn't a security group of the load balancer {found['name']}, which has "
            f"{', '.join(groups) or 'none'}": found["group"] not in groups,
        }.items()
        if applies
    ]
    if problems:
        raise pulumi.RunError(
            "The existing load balancer doesn't fit the settings; nothing that depends on it was changed:\n  - "
            + "\n  - ".join(problems)
        )
    return found["arn"]
