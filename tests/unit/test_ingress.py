"""Ingress: load balancer, listeners, rules, target group, certificate and DNS, input by input."""

from typing import Any

import pytest

from components.ingress.ingress import chunks
from tests.unit.recording import EXISTING_VPC, LOCAL, Graph, arn_of
from tests.unit.stacks import ALLOWED, BARE, PRODUCTION, TAGS, stack

LOAD_BALANCER, TARGET_GROUP = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, RULE = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"
RECORD, CERTIFICATE = "aws:route53/record:Record", "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
WEB_ACL = "aws:wafv2/webAclAssociation:WebAclAssociation"
ZONE = "Z0123456789ABCDEFGHIJ"

ONLY_WEBHOOKS = [{"pathPattern": {"values": ["/events"]}}, {"httpRequestMethod": {"values": ["POST"]}}]


def rule(priority: int, *conditions: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    return {
        "listenerArn": arn_of("ingress-https"),
        "priority": priority,
        "conditions": [*conditions, {"sourceIp": {"values": sources}}],
        "actions": [{"type": "forward", "targetGroupArn": arn_of("ingress-targets")}],
        "tags": TAGS,
    }


def test_the_load_balancer_stands_in_the_public_subnets_logs_and_drops_invalid_headers() -> None:
    assert stack().one(LOAD_BALANCER).inputs == {
        "name": "atlantis-prod",
        "loadBalancerType": "application",
        "internal": False,
        "idleTimeout": 3600,
        "ipAddressType": "ipv4",
        "subnets": ["subnet-public-1", "subnet-public-2"],
        "securityGroups": ["network-alb-id"],
        "accessLogs": {"bucket": "atlantis-prod-access-logs-123456789012-ap-northeast-2", "enabled": True},
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": True,
        "tags": TAGS,
    }


def test_the_load_balancer_waits_until_it_may_write_its_logs() -> None:
    assert "ingress-access-logs-policy" in stack().one(LOAD_BALANCER).depends_on


def test_without_deletion_protection_aws_deletes_the_load_balancer() -> None:
    assert stack(**BARE).one(LOAD_BALANCER).inputs["enableDeletionProtection"] is False


def test_a_web_acl_that_is_named_stands_in_front_of_the_load_balancer() -> None:
    assert stack(**PRODUCTION).one(WEB_ACL).inputs == {
        "resourceArn": arn_of("ingress-alb"),
        "webAclArn": PRODUCTION["webAclArn"],
    }
    assert stack().all(WEB_ACL) == []


def test_the_target_group_takes_addresses_and_asks_for_the_server_s_health() -> None:
    assert stack().one(TARGET_GROUP).inputs == {
        "name": "atlantis-prod-atlantis",
        "vpcId": "vpc-new",
        "targetType": "ip",
        "protocol": "HTTP",
        "port": 4141,
        "deregistrationDelay": 30,
        "healthCheck": {
            "enabled": True,
            "path": "/healthz",
            "protocol": "HTTP",
            "port": "traffic-port",
            "matcher": "200",
            "interval": 30,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
        },
        "tags": TAGS,
    }


def test_another_container_port_does_not_replace_the_target_group() -> None:
    group = stack(**PRODUCTION).one(TARGET_GROUP).inputs
    assert (group["port"], group["healthCheck"]["port"]) == (4141, "traffic-port")


def test_http_is_redirected_to_https_and_nothing_else() -> None:
    assert stack().one(LISTENER, "ingress-http").inputs == {
        "loadBalancerArn": arn_of("ingress-alb"),
        "protocol": "HTTP",
        "port": 80,
        "defaultActions": [
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
        ],
        "tags": TAGS,
    }


def test_https_offers_tls_1_3_and_answers_403_to_whom_no_rule_admits() -> None:
    assert stack().one(LISTENER, "ingress-https").inputs == {
        "loadBalancerArn": arn_of("ingress-alb"),
        "protocol": "HTTPS",
        "port": 443,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificateArn": LOCAL["acmCertificateArn"],
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Forbidden", "statusCode": "403"},
            }
        ],
        "tags": TAGS,
    }
    assert stack().names(LISTENER) == ["ingress-http", "ingress-https"]


def test_the_tls_policy_is_a_setting() -> None:
    listener = stack(**BARE).one(LISTENER, "ingress-https")
    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-2021-06"


CROSS_SITE: dict[str, Any] = {
    "listenerArn": arn_of("ingress-https"),
    "priority": 190,
    "conditions": [
        {"httpRequestMethod": {"values": ["DELETE", "POST", "PUT"]}},
        {"httpHeader": {"httpHeaderName": "Sec-Fetch-Site", "values": ["cross-site", "same-site"]}},
    ],
    "actions": [
        {
            "type": "fixed-response",
            "fixedResponse": {"contentType": "text/plain", "messageBody": "Forbidden", "statusCode": "403"},
        }
    ],
    "tags": TAGS,
}
"""Refuses what another site's page asks for in somebody's browser."""
CHANGES: dict[str, Any] = CROSS_SITE | {
    "priority": 196,
    "conditions": [
        {"pathPattern": {"values": ["/api/*", "/events", "*%*"]}},
        {"httpRequestMethod": {"values": ["DELETE", "POST"]}},
    ],
}
"""Refuses changes that the page doesn't make: through the API, and webhooks of anyone but GitHub."""


def rules_of(graph: Graph) -> list[dict[str, Any]]:
    return sorted((resource.inputs for resource in graph.all(RULE)), key=lambda inputs: inputs["priority"])


def test_github_reaches_post_events_only_and_the_allowed_ranges_everything() -> None:
    assert rules_of(stack()) == [
        rule(100, *ONLY_WEBHOOKS, sources=["192.30.252.0/22", "185.199.108.0/22", "140.82.112.0/20"]),
        rule(101, *ONLY_WEBHOOKS, sources=["143.55.64.0/20"]),
        CROSS_SITE,
        CHANGES,
        rule(200, sources=["203.0.113.0/24"]),
    ]


def test_the_allowed_ranges_reach_the_api_where_a_setting_opens_it() -> None:
    opened = stack(allowApi=True, serverSecrets=["api-secret=ci/api:secret"])
    (changes,) = (inputs for inputs in rules_of(opened) if inputs["priority"] == CHANGES["priority"])
    assert changes["conditions"][0] == {"pathPattern": {"values": ["/events", "*%*"]}}
    assert changes | {"conditions": CHANGES["conditions"]} == CHANGES


def test_more_ranges_than_a_rule_takes_are_spread_over_several() -> None:
    assert rules_of(stack(allowedCidrBlocks=ALLOWED))[4:] == [
        rule(200, sources=[f"198.51.100.{host}/32" for host in range(5)]),
        rule(201, sources=["198.51.100.5/32", "140.82.112.0/20"]),
    ]


@pytest.mark.parametrize("changes", [{}, PRODUCTION, BARE], ids=["default", "production", "bare"])
def test_no_rule_has_more_than_five_condition_values_and_none_forwards_without_a_source(
    changes: dict[str, Any],
) -> None:
    for inputs in rules_of(stack(**changes)):
        values = [
            value for condition in inputs["conditions"] for kind in condition.values() for value in kind["values"]
        ]
        assert len(values) <= 5
        sources = [condition for condition in inputs["conditions"] if "sourceIp" in condition]
        assert sources or inputs["actions"] == CROSS_SITE["actions"]


def test_with_ipv6_github_s_ipv6_ranges_reach_post_events_and_the_allowed_ones_everything() -> None:
    sources = {
        value: len(inputs["conditions"])
        for inputs in rules_of(stack(**PRODUCTION))
        if "sourceIp" in inputs["conditions"][-1]
        for value in inputs["conditions"][-1]["sourceIp"]["values"]
        if ":" in value
    }
    assert sources == {"2a0a:a440::/29": 3, "2606:50c0::/32": 3, "2001:db8::/32": 1}


def test_github_enterprise_s_ranges_reach_post_events() -> None:
    webhook = rules_of(stack(**BARE))[0]
    assert webhook["conditions"] == [*ONLY_WEBHOOKS, {"sourceIp": {"values": ["192.0.2.0/24"]}}]


OIDC: dict[str, Any] = {
    "oidcIssuer": "https://login.example.com",
    "oidcAuthorizationEndpoint": "https://login.example.com/authorize",
    "oidcTokenEndpoint": "https://login.example.com/token",
    "oidcUserInfoEndpoint": "https://login.example.com/userinfo",
    "oidcClientId": "atlantis",
    "oidcClientSecretName": "shared/oidc",
}


def test_with_a_provider_people_sign_in_before_they_reach_the_server_and_github_does_not() -> None:
    graph = stack(**OIDC)
    authenticate, forward = graph.one(RULE, "ingress-allowed-0").inputs["actions"]
    assert authenticate == {
        "type": "authenticate-oidc",
        "order": 1,
        "authenticateOidc": {
            "issuer": "https://login.example.com",
            "authorizationEndpoint": "https://login.example.com/authorize",
            "tokenEndpoint": "https://login.example.com/token",
            "userInfoEndpoint": "https://login.example.com/userinfo",
            "clientId": "atlantis",
            "clientSecret": "the-client-secret",
            "scope": "openid",
            "sessionTimeout": 43200,
            "onUnauthenticatedRequest": "authenticate",
        },
    }
    assert forward == {"type": "forward", "order": 2, "targetGroupArn": arn_of("ingress-targets")}
    assert "actions" in graph.one(RULE, "ingress-allowed-0").secret_inputs
    for name in ("ingress-webhook-0", "ingress-webhook-1"):
        assert [action["type"] for action in graph.one(RULE, name).inputs["actions"]] == ["forward"]


def test_with_a_provider_the_load_balancer_reaches_it_and_the_server_asks_for_no_password() -> None:
    egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    rule = stack(**OIDC).one(egress, "network-alb-oidc-egress").inputs
    assert (rule["securityGroupId"], rule["fromPort"], rule["toPort"]) == ("network-alb-id", 443, 443)
    assert [name for name in stack().names(egress) if "oidc" in name] == []
    assert "secrets-web-password" not in stack(**OIDC).names("aws:secretsmanager/secret:Secret")


@pytest.mark.parametrize(
    ("token", "user_info", "expected"),
    [
        ("", ":443", {"": 443}),
        (":8443", "", {"": 443, "-8443": 8443}),
        (":8443", ":8443", {"-8443": 8443}),
        (":8443", ":9443", {"-8443": 8443, "-9443": 9443}),
    ],
)
def test_the_load_balancer_reaches_the_ports_of_the_endpoints_that_it_requests(
    token: str, user_info: str, expected: dict[str, int]
) -> None:
    """The browser requests the authorization endpoint, so its port needs no rule."""
    graph = stack(
        **OIDC
        | {
            "oidcAuthorizationEndpoint": "https://login.example.com:7443/authorize",
            "oidcTokenEndpoint": f"https://login.example.com{token}/token",
            "oidcUserInfoEndpoint": f"https://login.example.com{user_info}/userinfo",
        }
    )
    prefix = "network-alb-oidc-egress"
    found = {rule.name.removeprefix(prefix): rule.inputs for rule in graph.resources if rule.name.startswith(prefix)}
    assert {suffix: (inputs["fromPort"], inputs["toPort"]) for suffix, inputs in found.items()} == {
        suffix: (port, port) for suffix, port in expected.items()
    }
    assert {(inputs["securityGroupId"], inputs["cidrIpv4"]) for inputs in found.values()} == {
        ("network-alb-id", "0.0.0.0/0")
    }


def alias(record_type: str) -> dict[str, Any]:
    return {
        "zoneId": ZONE,
        "name": "atlantis.example.com",
        "type": record_type,
        "aliases": [{"name": "alb.example", "zoneId": "ZALB", "evaluateTargetHealth": True}],
    }


def test_without_a_zone_there_is_no_record_and_no_certificate() -> None:
    graph = stack()
    assert [graph.names(kind) for kind in (RECORD, CERTIFICATE, VALIDATION)] == [[]] * 3


def test_with_ipv4_the_alias_has_an_a_record_only() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(RECORD).inputs == alias("A")


def test_with_ipv6_the_alias_has_an_a_and_an_aaaa_record() -> None:
    graph = stack(**PRODUCTION)
    assert graph.one(RECORD, "ingress-alias-a").inputs == alias("A")
    assert graph.one(RECORD, "ingress-alias-aaaa").inputs == alias("AAAA")
    assert graph.one(LOAD_BALANCER).inputs["ipAddressType"] == "dualstack"


def test_a_certificate_that_exists_is_used_and_none_is_issued_with_a_zone_too() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(LISTENER, "ingress-https").inputs["certificateArn"] == LOCAL["acmCertificateArn"]
    assert graph.names(CERTIFICATE) == []


def test_a_certificate_is_issued_for_the_url_s_host_and_proved_through_the_zone() -> None:
    graph = stack(**PRODUCTION)
    certificate = graph.one(CERTIFICATE)
    assert certificate.inputs == {
        "domainName": "atlantis.example.com",
        "validationMethod": "DNS",
        "tags": graph.one(TARGET_GROUP).inputs["tags"],
    }
    assert certificate.parent == "ingress-certificate"
    assert graph.one(RECORD, "ingress-certificate-validation-record").inputs == {
        "zoneId": ZONE,
        "name": "_proof",
        "type": "CNAME",
        "records": ["_value"],
        "ttl": 300,
        "allowOverwrite": True,
    }
    assert graph.one(VALIDATION).inputs == {
        "certificateArn": arn_of("ingress-certificate"),
        "validationRecordFqdns": ["_proof.example.com"],
    }


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    listener = stack(**PRODUCTION).one(LISTENER, "ingress-https")
    assert "ingress-certificate-validation" in listener.depends_on
    assert listener.inputs["certificateArn"] == arn_of("ingress-certificate")


def test_in_a_vpc_that_exists_the_load_balancer_stands_in_the_named_subnets() -> None:
    subnets = stack(**PRODUCTION).one(LOAD_BALANCER).inputs["subnets"]
    assert sorted(subnets) == EXISTING_VPC["publicSubnetIds"]


def test_chunks_keep_the_order_and_lose_nothing() -> None:
    assert chunks(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert chunks([], 2) == []
