"""Sign-in at an OpenID Connect provider, in front of the server, input by input."""

from typing import Any

import pytest

from tests.unit.recording import arn_of
from tests.unit.stacks import stack

RULE = "aws:lb/listenerRule:ListenerRule"
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
