"""Ingress: the only entry point. Load balancer, listeners, rules, target group and DNS."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..logs.access_logs import AccessLogs, AccessLogsInputs
from ..outputs import declared_outputs
from ..settings.groups import IngressArgs
from .certificate import Certificate, CertificateInputs

CONDITION_VALUES = 5
"""The maximum number of values in all conditions of one rule together."""
WEBHOOK_PATH, WEBHOOK_METHOD = "/events", "POST"
WEBHOOK_PRIORITY, CROSS_SITE_PRIORITY, CHANGES_PRIORITY, ALLOWED_PRIORITY = 100, 190, 196, 200
"""The first priority of each kind of rule."""
_FORBIDDEN: aws.lb.ListenerRuleActionArgsDict = {
    "type": "fixed-response",
    "fixed_response": {"content_type": "text/plain", "message_body": "Forbidden", "status_code": "403"},
}
_DEFAULT_PORT = 4141
"""The port of targets that are registered without one."""


@dataclasses.dataclass(kw_only=True)
class IngressInputs:
    """The ranges that the load balancer allows, and the paths that they can reach."""

    context: Context
    settings: IngressArgs
    """Allowed ranges can reach every path, except for changes outside of the web page; webhook ranges can only send POST /events."""
    webhook_sources: Sequence[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    """In at least two zones: public ones, or private ones for an internal load balancer."""
    security_group_id: pulumi.Input[str]
    authenticate: aws.lb.ListenerRuleActionArgsDict | None
    """The action with which users in the allowed ranges sign in; None without sign-in."""
    allow_api: bool = False
    """Whether the allowed ranges can send changes to /api/."""


class Ingress(pulumi.ComponentResource):
    """A load balancer that responds with 403 to requests that no rule allows."""

    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    certificate_arn: pulumi.Input[str]
    """The certificate of the HTTPS listener."""
    load_balancer_metric_name: pulumi.Output[str]
    """The load balancer's dimension in CloudWatch metrics. The next attribute is the target group's."""
    target_group_metric_name: pulumi.Output[str]

    def __init__(self, name: str, args: IngressInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Ingress", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        load_balancer = self._load_balancer()
        self._web_acl(load_balancer)
        target_group = self._target_group()
        self.certificate_arn = self._certificate_arn()
        self._redirect_listener(load_balancer)
        listener = self._https_listener(load_balancer)
        self._listener_rules(listener, target_group)
        self._cross_site_rule(listener)
        self._changes_rule(listener)
        self._alias_records(load_balancer)

        self.dns_name = load_balancer.dns_name
        self.zone_id = load_balancer.zone_id
        self.target_group_arn = target_group.arn
        self.load_balancer_metric_name = load_balancer.arn_suffix
        self.target_group_metric_name = target_group.arn_suffix
        self.register_outputs(declared_outputs(self))

    def _load_balancer(self) -> aws.lb.LoadBalancer:
        args = self._args
        logs = AccessLogs(
            f"{self.pulumi_resource_name}-access-logs",
            AccessLogsInputs(context=args.context),
            self._child,
        )
        return aws.lb.LoadBalancer(
            f"{self.pulumi_resource_name}-alb",
            name=args.context.names.base,
            load_balancer_type="application",
            internal=args.settings.load_balancer_scheme == "internal",
            idle_timeout=args.settings.load_balancer_idle_timeout,
            ip_address_type=args.settings.ip_address_type,
            subnets=args.subnet_ids,
            security_groups=[args.security_group_id],
            access_logs={"bucket": logs.bucket, "enabled": True},
            desync_mitigation_mode="defensive",
            drop_invalid_header_fields=True,
            enable_deletion_protection=args.context.deletion_protection,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs.policy]),
        )

    def _web_acl(self, load_balancer: aws.lb.LoadBalancer) -> None:
        if self._args.settings.web_acl_arn:
            aws.wafv2.WebAclAssociation(
                f"{self.pulumi_resource_name}-web-acl",
                resource_arn=load_balancer.arn,
                web_acl_arn=self._args.settings.web_acl_arn,
                opts=self._child,
            )

    def _target_group(self) -> aws.lb.TargetGroup:
        return aws.lb.TargetGroup(
            f"{self.pulumi_resource_name}-targets",
            name=self._args.context.names.target_group,
            vpc_id=self._args.vpc_id,
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
            tags=self._args.context.tags,
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
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _https_listener(self, load_balancer: aws.lb.LoadBalancer) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self.pulumi_resource_name}-https",
            load_balancer_arn=load_balancer.arn,
            protocol="HTTPS",
            port=443,
            ssl_policy=self._args.settings.ssl_policy,
            certificate_arn=self.certificate_arn,
            default_actions=[_FORBIDDEN],
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _certificate_arn(self) -> pulumi.Input[str]:
        args = self._args
        if args.settings.acm_certificate_arn:
            return args.settings.acm_certificate_arn
        if not args.settings.hosted_zone_id:
            raise ValueError("Ingress needs acm_certificate_arn, or hosted_zone_id to issue a certificate")
        return Certificate(
            f"{self.pulumi_resource_name}-certificate",
            CertificateInputs(
                context=args.context, host=args.settings.host, hosted_zone_id=args.settings.hosted_zone_id
            ),
            self._child,
        ).arn

    def _listener_rules(self, listener: aws.lb.Listener, target_group: aws.lb.TargetGroup) -> None:
        webhook: list[aws.lb.ListenerRuleConditionArgsDict] = [
            {"path_pattern": {"values": [WEBHOOK_PATH]}},
            {"http_request_method": {"values": [WEBHOOK_METHOD]}},
        ]
        forward: list[aws.lb.ListenerRuleActionArgsDict] = [{"type": "forward", "target_group_arn": target_group.arn}]
        people = [self._args.authenticate, {**forward[0], "order": 2}] if self._args.authenticate else forward
        kinds = (
            ("webhook", WEBHOOK_PRIORITY, self._args.webhook_sources, webhook, forward),
            ("allowed", ALLOWED_PRIORITY, self._args.settings.allowed_sources, [], people),
        )
        for kind, priority, blocks, conditions, actions in kinds:
            for number, chunk in enumerate(chunks(blocks, CONDITION_VALUES - len(conditions))):
                aws.lb.ListenerRule(
                    f"{self.pulumi_resource_name}-{kind}-{number}",
                    listener_arn=listener.arn,
                    priority=priority + number,
                    conditions=[*conditions, {"source_ip": {"values": chunk}}],
                    actions=actions,
                    tags=self._args.context.tags,
                    opts=self._child,
                )

    def _cross_site_rule(self, listener: aws.lb.Listener) -> None:
        """Reject changes that a page of another site requests through a signed-in user's browser (CSRF).

        A browser attaches the password or the session cookie to such a request, and Atlantis checks no CSRF token.
        Browsers report a request's origin in Sec-Fetch-Site, which pages can't change (W3C, Fetch Metadata).
        """
        aws.lb.ListenerRule(
            f"{self.pulumi_resource_name}-cross-site",
            listener_arn=listener.arn,
            priority=CROSS_SITE_PRIORITY,
            conditions=[
                {"http_request_method": {"values": ["DELETE", "POST", "PUT"]}},
                {"http_header": {"http_header_name": "Sec-Fetch-Site", "values": ["cross-site", "same-site"]}},
            ],
            actions=[_FORBIDDEN],
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _changes_rule(self, listener: aws.lb.Listener) -> None:
        """Deny changes that the web page doesn't make, to the allowed ranges too.

        The API's secret allows an apply of any branch without an approval. The server reads the body of a webhook, of any size, before
        it checks the signature; the ranges of webhooks have a rule with a higher priority.
        A load balancer compares the path as the client sent it, and Atlantis decodes it first: /%61pi/apply is /api/apply. No path to
        which the page sends a change has an encoded character, so this rule denies all of them.
        """
        api = [] if self._args.allow_api else ["/api/*"]
        aws.lb.ListenerRule(
            f"{self.pulumi_resource_name}-changes",
            listener_arn=listener.arn,
            priority=CHANGES_PRIORITY,
            conditions=[
                {"path_pattern": {"values": [*api, WEBHOOK_PATH, "*%*"]}},
                # Atlantis has no other methods for changes.
                {"http_request_method": {"values": ["DELETE", "POST"]}},
            ],
            actions=[_FORBIDDEN],
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _alias_records(self, load_balancer: aws.lb.LoadBalancer) -> None:
        if not self._args.settings.hosted_zone_id:
            return
        for record_type in ("A", "AAAA") if self._args.settings.ip_address_type == "dualstack" else ("A",):
            aws.route53.Record(
                f"{self.pulumi_resource_name}-alias-{record_type.lower()}",
                zone_id=self._args.settings.hosted_zone_id,
                name=self._args.settings.host,
                type=record_type,
                aliases=[
                    {"name": load_balancer.dns_name, "zone_id": load_balancer.zone_id, "evaluate_target_health": True}
                ],
                opts=self._child,
            )


def chunks(values: Sequence[str], size: int) -> list[list[str]]:
    """`values` in order, in lists of at most `size`."""
    return [list(values[start : start + size]) for start in range(0, len(values), size)]
