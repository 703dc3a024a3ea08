"""The settings of the running load balancer: certificate, zone, ranges, web ACL and sign-in."""

from collections.abc import Iterator, Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.listener_rules import is_for_webhooks, priorities
from adoption.proposal import Proposal
from components.configuration.vcs import KINDS, published_ranges


def ingress(anatomy: Anatomy) -> Iterator[Proposal]:
    """The settings that the load balancer and its listener determine."""
    balancer, record, existing = anatomy.load_balancer, anatomy.alias_record, anatomy.existing
    if existing.listener_arn:
        yield from _of_existing_listener(anatomy)
    elif (listener := anatomy.https_listener) is not None:
        yield Proposal("acmCertificateArn", listener.get("certificate_arn"), "the listener's certificate")
        yield Proposal("sslPolicy", listener.get("ssl_policy"), "the listener's policy")
    if balancer is None and not existing.listener_arn:
        return
    yield Proposal(
        "hostedZoneId",
        record.get("zone_id") if record else None,
        "the zone of its record"
        if record
        else "the state has no record of the load balancer: the one that exists stays yours, and is refused a second time",
    )
    ranges = sorted(set(_allowed_ranges(anatomy)))
    if ranges:
        yield Proposal("allowedCidrBlocks", ranges, "the ranges that reach the load balancer")
    for association in anatomy.state.of("aws_wafv2_web_acl_association"):
        if balancer and not existing.listener_arn and association.get("resource_arn") == balancer.id:
            yield Proposal("webAclArn", association.get("web_acl_arn"), "the web ACL in front of the load balancer")
    yield from _sign_in(anatomy)


def _of_existing_listener(anatomy: Anatomy) -> Iterator[Proposal]:
    """What an existing listener needs, and what is the listener's own."""
    if group := anatomy.balancer_group:
        yield Proposal("loadBalancerSecurityGroupId", group, "the group from which the task accepts requests")
    for key in ("acmCertificateArn", "sslPolicy", "webAclArn", "loadBalancerIdleTimeout", "publicSubnetIds"):
        yield Proposal(key, None, "the existing load balancer has its own")
    yield from priorities(anatomy)


def _sign_in(anatomy: Anatomy) -> Iterator[Proposal]:
    """The OpenID Connect provider of the listener or its rules. Its client secret isn't part of a proposal: it has no name."""
    if provider := anatomy.sign_in.get("authenticate_oidc"):
        for key, name in {
            "oidcIssuer": "issuer",
            "oidcAuthorizationEndpoint": "authorization_endpoint",
            "oidcTokenEndpoint": "token_endpoint",
            "oidcUserInfoEndpoint": "user_info_endpoint",
            "oidcClientId": "client_id",
            "oidcScope": "scope",
        }.items():
            if provider.get(name):
                yield Proposal(key, provider[name], "the provider at which users sign in now")
        if (seconds := provider.get("session_timeout")) and seconds >= _HOUR:
            yield Proposal("oidcSessionHours", seconds // _HOUR, "how long a session lasts now")


_HOUR = 3600


def _allowed_ranges(anatomy: Anatomy) -> Iterator[str]:
    """Ranges that can reach port 443 of the load balancer, except those of webhooks. Behind an existing listener, the ranges
    of Atlantis' rules, if they have any, because the security group is for all services."""
    webhooks = {block for kind in KINDS.values() if kind.host for block in published_ranges(kind.host)}
    if anatomy.existing.listener_arn and (ranges := _ranges_of_listener_rules(anatomy)):
        yield from (block for block in ranges if block not in webhooks)
        return
    groups = {*anatomy.load_balancer.items_of("security_groups")} if anatomy.load_balancer else set()
    for rule in anatomy.state.of("aws_vpc_security_group_ingress_rule"):
        block = rule.get("cidr_ipv4") or rule.get("cidr_ipv6")
        reaches = rule.get("security_group_id") in groups and rule.get("from_port") == 443
        if reaches and block and block not in webhooks:
            yield block
    for group in anatomy.state.of("aws_security_group"):
        yield from _ranges_of(group.items_of("ingress") if group.id in groups else [], webhooks)
    old = [rule.attributes for rule in anatomy.state.of("aws_security_group_rule")]
    yield from _ranges_of(
        [rule for rule in old if rule.get("type") == "ingress" and rule.get("security_group_id") in groups], webhooks
    )


def _ranges_of_listener_rules(anatomy: Anatomy) -> list[str]:
    """The source ranges of the rules that lead to Atlantis, except those that only webhooks use."""
    return [
        block
        for rule in anatomy.leading_rules
        if not is_for_webhooks(rule.get("condition"))
        for condition in rule.items_of("condition")
        for source in condition.get("source_ip") or []
        for block in source.get("values") or []
    ]


def _ranges_of(rules: list[Mapping[str, Any]], without: set[str]) -> Iterator[str]:
    """The ranges of rules with several peers that reach port 443."""
    for rule in rules:
        if rule.get("from_port") == 443 or str(rule.get("protocol")) in ("-1", "all"):
            blocks = [*(rule.get("cidr_blocks") or []), *(rule.get("ipv6_cidr_blocks") or [])]
            yield from (block for block in blocks if block not in without)
