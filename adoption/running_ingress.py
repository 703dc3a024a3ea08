"""The settings of the running load balancer: certificate, zone, ranges, web ACL and sign-in."""

from collections.abc import Iterator, Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.proposal import DEFAULTS, Proposal
from adoption.state import StateResource, alias_target

__all__ = ["ingress"]


def ingress(anatomy: Anatomy) -> Iterator[Proposal]:
    """The settings that the load balancer and its listener determine."""
    listener, balancer = anatomy.https_listener, anatomy.load_balancer
    if listener is not None:
        yield Proposal("acmCertificateArn", listener.attributes.get("certificate_arn"), "the listener's certificate")
        yield Proposal("sslPolicy", listener.attributes.get("ssl_policy"), "the listener's policy")
    if balancer is None:
        return
    record = next(
        (
            record
            for record in anatomy.state.of("aws_route53_record")
            for alias in record.attributes.get("alias") or []
            if alias_target(alias.get("name")) == alias_target(balancer.attributes.get("dns_name"))
        ),
        None,
    )
    yield Proposal(
        "hostedZoneId",
        record.attributes.get("zone_id") if record else None,
        "the zone of its record"
        if record
        else "the state has no record of the load balancer: the one that exists stays yours, and is refused a second time",
    )
    ranges = sorted(set(_allowed_ranges(anatomy, balancer)))
    if ranges:
        yield Proposal("allowedCidrBlocks", ranges, "the ranges that reach the load balancer")
    association = next(
        (
            found
            for found in anatomy.state.of("aws_wafv2_web_acl_association")
            if found.attributes.get("resource_arn") == balancer.id
        ),
        None,
    )
    if association:
        yield Proposal(
            "webAclArn", association.attributes.get("web_acl_arn"), "the web ACL in front of the load balancer"
        )
    yield from _sign_in(anatomy)


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


def _allowed_ranges(anatomy: Anatomy, balancer: StateResource) -> Iterator[str]:
    """Ranges that can reach port 443 of the load balancer, except GitHub's."""
    github = {str(block) for block in DEFAULTS["githubWebhookCidrBlocks"]}
    groups = set(balancer.attributes.get("security_groups") or [])
    for rule in anatomy.state.of("aws_vpc_security_group_ingress_rule"):
        block = rule.attributes.get("cidr_ipv4") or rule.attributes.get("cidr_ipv6")
        reaches = rule.attributes.get("security_group_id") in groups and rule.attributes.get("from_port") == 443
        if reaches and block and block not in github:
            yield block
    for group in anatomy.state.of("aws_security_group"):
        blocks = group.attributes.get("ingress") or []
        yield from _ranges_of(blocks if group.id in groups else [], github)
    old = [rule.attributes for rule in anatomy.state.of("aws_security_group_rule")]
    yield from _ranges_of(
        [rule for rule in old if rule.get("type") == "ingress" and rule.get("security_group_id") in groups], github
    )


def _ranges_of(rules: list[Mapping[str, Any]], without: set[str]) -> Iterator[str]:
    """The ranges of rules with several peers that reach port 443."""
    for rule in rules:
        if rule.get("from_port") == 443 or str(rule.get("protocol")) in ("-1", "all"):
            blocks = [*(rule.get("cidr_blocks") or []), *(rule.get("ipv6_cidr_blocks") or [])]
            yield from (block for block in blocks if block not in without)
