"""The settings of what a company already has, and the stack uses instead of its own."""

from pulumi import Input

from . import accepted, values
from .schema import Group, group, setting


@group
class ExistingArgs(Group):
    """Existing parts that the stack uses instead of creating them."""

    cluster_name: str | None = setting(accepted.cluster_name, default=None)
    """Name of an existing ECS cluster, whose capacity providers include capacityProvider. A change replaces the service. Empty: a
    new cluster"""
    log_key_arn: Input[str] | None = setting(accepted.key_arn, default=None)
    """ARN of an existing KMS key for log groups and log archive. Its policy must allow CloudWatch Logs to use it. Empty: a new
    key"""
    https_listener_arn: Input[str] | None = setting(accepted.listener_arn, default=None)
    """ARN of the HTTPS listener of an existing application load balancer in the VPC, with a certificate for the host of url. The
    stack only adds rules for this host. Empty: a new load balancer"""
    listener_rule_priority: int = setting(accepted.first_priority, default=0)
    """First of the 128 priorities for the stack's rules in the existing listener; `make preflight` names free ones. Only with
    httpsListenerArn. 0: a number that follows from the stack's names"""
    load_balancer_security_group_id: Input[str] | None = setting(accepted.security_group_id, default=None)
    """ID of a security group of the existing load balancer, from which the task accepts requests. Required with httpsListenerArn"""
    extend_security_group: bool = setting(values.boolean, default=False)
    """Add rules to loadBalancerSecurityGroupId: HTTPS from the allowed ranges and from webhooks, and the task's port. false: it
    stays as it is"""
    service_registry_arn: Input[str] | None = setting(accepted.service_registry_arn, default=None)
    """ARN of an existing Cloud Map service with A records, in which ECS registers the task. Only with loadBalancerScheme none"""
