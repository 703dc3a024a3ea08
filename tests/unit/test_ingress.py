"""Ingress: listeners, their rules, the certificate and the sign-in. The default stack's are in `decided.yaml`."""

from typing import Any

import pytest

from tests.unit.stacks import PRODUCTION, stack

LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"


def test_the_load_balancer_waits_until_it_may_write_its_logs() -> None:
    assert "ingress-access-logs-policy" in stack().one(LOAD_BALANCER).depends_on


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    listener = stack(**PRODUCTION).one(LISTENER, "ingress-https")
    assert "ingress-certificate-validation" in listener.depends_on


OIDC: dict[str, Any] = {
    "oidcIssuer": "https://login.example.com",
    "oidcAuthorizationEndpoint": "https://login.example.com/authorize",
    "oidcTokenEndpoint": "https://login.example.com/token",
    "oidcUserInfoEndpoint": "https://login.example.com/userinfo",
    "oidcClientId": "atlantis",
    "oidcClientSecretName": "shared/oidc",
}


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
