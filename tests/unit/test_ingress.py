"""Ingress: listeners, their rules, the certificate and the sign-in. The default stack's are in `decided.yaml`."""

from typing import Any

import pytest

from tests.unit.recording import LOCAL, Graph, arn_of
from tests.unit.stacks import ALLOWED, BARE, PRODUCTION, stack

LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
CERTIFICATE = "aws:acm/certificate:Certificate"
ZONE = "Z0123456789ABCDEFGHIJ"


def test_the_load_balancer_waits_until_it_may_write_its_logs() -> None:
    assert "ingress-access-logs-policy" in stack().one(LOAD_BALANCER).depends_on


def test_a_certificate_that_exists_is_used_and_none_is_issued_with_a_zone_too() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(LISTENER, "ingress-https").inputs["certificateArn"] == LOCAL["acmCertificateArn"]
    assert graph.names(CERTIFICATE) == []


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    listener = stack(**PRODUCTION).one(LISTENER, "ingress-https")
    assert "ingress-certificate-validation" in listener.depends_on
    assert listener.inputs["certificateArn"] == arn_of("ingress-certificate")


RULE = "aws:lb/listenerRule:ListenerRule"


def rules_of(graph: Graph) -> list[dict[str, Any]]:
    return sorted((resource.inputs for resource in graph.all(RULE)), key=lambda inputs: inputs["priority"])


def test_more_ranges_than_a_rule_takes_are_spread_over_several() -> None:
    first, second = rules_of(stack(allowedCidrBlocks=ALLOWED))[4:]
    assert (first["priority"], second["priority"]) == (200, 201)
    assert first["conditions"] == [{"sourceIp": {"values": [f"198.51.100.{host}/32" for host in range(5)]}}]
    assert second["conditions"] == [{"sourceIp": {"values": ["198.51.100.5/32", "140.82.112.0/20"]}}]


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
        assert sources or inputs["actions"][0]["type"] == "fixed-response"


def test_with_ipv6_github_s_ipv6_ranges_reach_post_events_and_the_allowed_ones_everything() -> None:
    sources = {
        value: len(inputs["conditions"])
        for inputs in rules_of(stack(**PRODUCTION))
        if "sourceIp" in inputs["conditions"][-1]
        for value in inputs["conditions"][-1]["sourceIp"]["values"]
        if ":" in value
    }
    assert sources == {"2a0a:a440::/29": 3, "2606:50c0::/32": 3, "2001:db8::/32": 1}


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
