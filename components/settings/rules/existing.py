"""Rules for existing parts, and for a stack without a load balancer."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import changed

_OF_OWN_LOAD_BALANCER = (
    ("ingress", "acm_certificate_arn", "the listener has its own certificates; add this one to the listener"),
    ("ingress", "web_acl_arn", "a web ACL applies to all services behind a load balancer"),
    ("ingress", "load_balancer_idle_timeout", "the load balancer has its own idle timeout"),
    ("ingress", "ssl_policy", "the listener has its own security policy"),
)
"""Settings of a load balancer that the stack doesn't create: group, field, and the reason."""
_OF_ANY_LOAD_BALANCER = (
    *((group, field, "there is no load balancer") for group, field, _ in _OF_OWN_LOAD_BALANCER),
    ("ingress", "hosted_zone_id", "there is no load balancer for an alias record"),
    ("ingress", "ip_address_type", "there is no load balancer"),
    (
        "ingress",
        "github_webhook_cidr_blocks",
        "no rule separates webhooks; list what forwards them in allowedCidrBlocks",
    ),
    ("existing", "https_listener_arn", "a listener is of a load balancer"),
    (
        "sign_in",
        "oidc_issuer",
        "the load balancer signs users in; set webBasicAuth, or sign in where requests are forwarded",
    ),
)
"""Settings that need a load balancer."""


def _of_existing_listener(settings: Settings) -> Iterator[Problem]:
    if settings.existing.https_listener_arn is None or not settings.ingress.has_load_balancer:
        return
    yield from _unused(settings, "httpsListenerArn", _OF_OWN_LOAD_BALANCER)
    if settings.existing.load_balancer_security_group_id is None:
        yield Problem(
            {"httpsListenerArn": settings.existing.https_listener_arn},
            "also requires loadBalancerSecurityGroupId, from which the task accepts requests",
        )
    if settings.network.vpc_id is None:
        yield Problem(
            {"httpsListenerArn": settings.existing.https_listener_arn},
            "also requires vpcId and privateSubnetIds, because a load balancer forwards requests within its VPC",
        )


def _without_load_balancer(settings: Settings) -> Iterator[Problem]:
    if not settings.ingress.has_load_balancer:
        yield from _unused(settings, "loadBalancerScheme", _OF_ANY_LOAD_BALANCER)


def _unused(settings: Settings, key: str, fields: tuple[tuple[str, str, str], ...]) -> Iterator[Problem]:
    value = {"httpsListenerArn": settings.existing.https_listener_arn, "loadBalancerScheme": "none"}[key]
    for group, field, reason in fields:
        for other, given in changed(getattr(settings, group), field).items():
            yield Problem({key: value, other: given}, f"can't be combined: {reason}")


def _only_with(settings: Settings) -> Iterator[Problem]:
    """Settings that apply to another one only."""
    existing = settings.existing
    if existing.https_listener_arn is None:
        fields = ("listener_rule_priority", "load_balancer_security_group_id", "extend_security_group")
        for key, value in changed(existing, *fields).items():
            yield Problem({key: value}, "requires httpsListenerArn; set it, or remove this")
    if existing.service_registry_arn is not None and settings.ingress.has_load_balancer:
        yield Problem(
            {"serviceRegistryArn": existing.service_registry_arn},
            "requires loadBalancerScheme none, because requests that bypass the load balancer bypass its rules",
        )


def _adopted_cluster(settings: Settings) -> Iterator[Problem]:
    if settings.existing.cluster_name is not None and settings.existing.cluster_name == (
        settings.base_name or f"atlantis-{settings.environment}"
    ):
        yield Problem(
            {"clusterName": settings.existing.cluster_name},
            "is the name of the cluster that the stack creates; remove the setting, or name a cluster that another stack owns",
        )


RULES: tuple[Rule, ...] = (_of_existing_listener, _without_load_balancer, _only_with, _adopted_cluster)
