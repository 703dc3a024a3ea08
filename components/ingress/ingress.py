"""Ingress: the only entry point. Load balancer, listeners, rules, target group and DNS."""

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..logs.access_logs import AccessLogs
from ..network.vpc import Vpc
from ..outputs import declared_outputs
from .certificate import Certificate
from .existing_listener import Listener
from .listener_rules import FORBIDDEN, WEBHOOK_PRIORITY, ListenerRules

_DEFAULT_PORT = 4141
"""The port of targets that are registered without one."""


class Ingress(pulumi.ComponentResource):
    """A load balancer that responds with 403 to requests that no rule allows."""

    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    certificate_arn: pulumi.Input[str] | None = None
    """The certificate of the HTTPS listener; None for an existing listener."""
    load_balancer_metric_name: pulumi.Output[str]
    """The load balancer's dimension in CloudWatch metrics. The next attribute is the target group's."""
    target_group_metric_name: pulumi.Output[str]
    is_shared: bool
    """Whether the load balancer also receives requests of others."""

    def __init__(
        self,
        name: str,
        context: Context,
        vpc: Vpc,
        *,
        security_group_id: pulumi.Input[str],
        existing: Listener | None,
        authenticate: aws.lb.ListenerRuleActionArgsDict | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """`existing`: the listener of an existing load balancer; None for a load balancer that the stack creates.

        `authenticate`: the action with which users in the allowed ranges sign in; None without sign-in.
        """
        super().__init__("atlantis:index:Ingress", name, None, opts)
        self._context, self._settings = context, context.settings.ingress
        self._vpc, self._security_group_id = vpc, security_group_id
        self._child = pulumi.ResourceOptions(parent=self)

        listener = existing or self._own_listener()
        target_group = self._target_group()
        ListenerRules(
            context=context,
            name=name,
            listener=listener,
            target_group_arn=target_group.arn,
            authenticate=authenticate,
            opts=self._child,
        ).create()
        self._alias_records(listener)

        self.dns_name = listener.dns_name
        self.zone_id = listener.zone_id
        self.target_group_arn = target_group.arn
        self.load_balancer_metric_name = listener.metric_name
        self.target_group_metric_name = target_group.arn_suffix
        self.is_shared = listener.is_shared
        self.register_outputs(declared_outputs(self))

    def _own_listener(self) -> Listener:
        load_balancer = self._load_balancer()
        self._web_acl(load_balancer)
        self.certificate_arn = self._certificate_arn()
        self._redirect_listener(load_balancer)
        return Listener(
            arn=self._https_listener(load_balancer).arn,
            dns_name=load_balancer.dns_name,
            zone_id=load_balancer.zone_id,
            metric_name=load_balancer.arn_suffix,
            first_priority=WEBHOOK_PRIORITY,
            is_shared=False,
        )

    def _load_balancer(self) -> aws.lb.LoadBalancer:
        logs = AccessLogs(f"{self.pulumi_resource_name}-access-logs", self._context, self._child)
        is_internal = self._settings.load_balancer_scheme == "internal"
        return aws.lb.LoadBalancer(
            f"{self.pulumi_resource_name}-alb",
            name=self._context.names.base,
            load_balancer_type="application",
            internal=is_internal,
            idle_timeout=self._settings.load_balancer_idle_timeout,
            ip_address_type=self._settings.ip_address_type,
            subnets=self._vpc.private_subnet_ids if is_internal else self._vpc.public_subnet_ids,
            security_groups=[self._security_group_id],
            access_logs={"bucket": logs.bucket, "enabled": True},
            desync_mitigation_mode="defensive",
            drop_invalid_header_fields=True,
            enable_deletion_protection=self._context.deletion_protection,
            tags=self._context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs.policy]),
        )

    def _web_acl(self, load_balancer: aws.lb.LoadBalancer) -> None:
        if self._settings.web_acl_arn:
            aws.wafv2.WebAclAssociation(
                f"{self.pulumi_resource_name}-web-acl",
                resource_arn=load_balancer.arn,
                web_acl_arn=self._settings.web_acl_arn,
                opts=self._child,
            )

    def _target_group(self) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            f"{self.pulumi_resource_name}-targets",
            name=self._context.names.target_group,
            vpc_id=self._vpc.id,
            target_type="ip",
            protocol="HTTP",
            # ECS registers each task with its own port. With that port here, a change would replace the group, which
            # fails because the name is already in use.
            port=_DEFAULT_PORT,
            deregistration_delay=30,
            health_check={
                "enabled": True,
                "path": "/healthz",
                "protocol": "HTTP",
                "port": "traffic-port",
                "matcher": "200",
                "interval": 30,
                "timeout": 5,
                "healthy_threshold": 2,
                "unhealthy_threshold": 3,
            },
            tags=self._context.tags,
            opts=self._child,
        )

    def _redirect_listener(self, load_balancer: aws.lb.LoadBalancer) -> None:
        aws.lb.Listener(
            f"{self.pulumi_resource_name}-http",
            load_balancer_arn=load_balancer.arn,
            protocol="HTTP",
            port=80,
            default_actions=[
                {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "status_code": "HTTP_301"}}
            ],
            tags=self._context.tags,
            opts=self._child,
        )

    def _https_listener(self, load_balancer: aws.lb.LoadBalancer) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self.pulumi_resource_name}-https",
            load_balancer_arn=load_balancer.arn,
            protocol="HTTPS",
            port=443,
            ssl_policy=self._settings.ssl_policy,
            certificate_arn=self.certificate_arn,
            default_actions=[FORBIDDEN],
            tags=self._context.tags,
            opts=self._child,
        )

    def _certificate_arn(self) -> pulumi.Input[str]:
        if self._settings.acm_certificate_arn:
            return self._settings.acm_certificate_arn
        return Certificate(
            f"{self.pulumi_resource_name}-certificate",
            self._context,
            host=self._settings.host,
            hosted_zone_id=self._settings.hosted_zone_id or "",  # a rule of the settings requires one of the two
            opts=self._child,
        ).arn

    def _alias_records(self, listener: Listener) -> None:
        if not self._settings.hosted_zone_id:
            return
        for record_type in ("A", "AAAA") if self._settings.ip_address_type == "dualstack" else ("A",):
            aws.route53.Record(
                f"{self.pulumi_resource_name}-alias-{record_type.lower()}",
                zone_id=self._settings.hosted_zone_id,
                name=self._settings.host,
                type=record_type,
                aliases=[{"name": listener.dns_name, "zone_id": listener.zone_id, "evaluate_target_health": True}],
                opts=self._child,
            )
