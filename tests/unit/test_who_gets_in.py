"""Who reaches what through the load balancer: its rules, evaluated for sources that a test can't connect from."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.configuration.vcs import published_ranges
from sandbox.testbed.local_aws.listener_rules import Decision, Listener, Request, decide
from tests.tables import table
from tests.unit.recording import arn_of
from tests.unit.stacks import PRODUCTION, stack

HOST = "atlantis.example.com"
OFFICE = table(__file__, "office")
STRANGERS = table(__file__, "strangers")
GITHUB = tuple(
    str(ipaddress.ip_network(block)[position]) for block in published_ranges("github.com") for position in (0, 1, -1)
)
PATHS = table(__file__, "paths")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


def described(inputs: Any) -> Any:
    """Inputs of the provider as DescribeRules returns them."""
    if isinstance(inputs, Mapping):
        return {_described_name(key): described(value) for key, value in inputs.items()}
    return [described(item) for item in inputs] if isinstance(inputs, list) else inputs


def _described_name(key: str) -> str:
    config = key in (
        "redirect",
        "fixedResponse",
        "pathPattern",
        "sourceIp",
        "hostHeader",
        "httpHeader",
        "httpRequestMethod",
    )
    return f"{key[0].upper()}{key[1:]}{'Config' if config else ''}"


def _condition(inputs: Mapping[str, Any]) -> dict[str, Any]:
    (kind,) = inputs
    return {"Field": re.sub("([A-Z])", r"-\1", kind).lower(), **described(inputs)}


@pytest.fixture(scope="module")
def listeners() -> dict[int, Listener]:
    graph = stack(**PRODUCTION | {"allowedCidrBlocks": ["203.0.113.0/24", "198.51.100.32/28"]})
    rules: dict[str, list[dict[str, Any]]] = {}
    for each in graph.all("aws:lb/listenerRule:ListenerRule"):
        rules.setdefault(each.inputs["listenerArn"], []).append(
            {
                "Priority": str(int(each.inputs["priority"])),
                "Conditions": [_condition(item) for item in each.inputs["conditions"]],
                "Actions": described(each.inputs["actions"]),
            }
        )
    return {
        int(each.inputs["port"]): Listener(
            int(each.inputs["port"]),
            each.inputs["protocol"],
            (
                *rules.get(arn_of(each.name), ()),
                {"Priority": "default", "Actions": described(each.inputs["defaultActions"])},
            ),
        )
        for each in graph.all("aws:lb/listener:Listener")
    }


@pytest.fixture
def https(listeners: dict[int, Listener]) -> Listener:
    return listeners[443]


def outcome(decision: Decision) -> tuple[str, Any]:
    return decision.action, decision.target_groups or decision.status


REFUSED, FORWARDED = ("fixed-response", 403), ("forward", (arn_of("ingress-targets"),))


def test_load_balancer_listens_on_two_ports(listeners: dict[int, Listener]):
    assert {port: listener.protocol for port, listener in listeners.items()} == {80: "HTTP", 443: "HTTPS"}


@pytest.mark.parametrize("source", OFFICE)
def test_office_reaches_every_path_but_changes_that_the_page_does_not_make(https: Listener, source: str):
    refused = set()
    for path in PATHS:
        for method in METHODS:
            result = outcome(decide(https, Request(source, method, path, HOST)))
            assert result in (FORWARDED, REFUSED), (method, path)
            if result == REFUSED:
                refused.add((method, path))
    changed = [path for path in PATHS if path == "/events" or path.startswith("/api/") or "%" in path]
    assert refused == {(method, path) for method in ("DELETE", "POST") for path in changed}


@pytest.mark.parametrize("source", GITHUB)
def test_github_reaches_the_webhook_and_nothing_else(https: Listener, source: str):
    reached = {
        (method, path)
        for path in PATHS
        for method in METHODS
        if outcome(decide(https, Request(source, method, path, HOST))) == FORWARDED
    }
    assert reached == {("POST", "/events")}
    assert outcome(decide(https, Request(source, "GET", "/api/locks", HOST))) == REFUSED
    assert outcome(decide(https, Request(source, "GET", "/github-app/setup", HOST))) == REFUSED


@pytest.mark.parametrize("source", STRANGERS)
def test_stranger_is_refused_whatever_is_asked(https: Listener, source: str):
    for path in PATHS:
        for method in METHODS:
            assert outcome(decide(https, Request(source, method, path, HOST))) == REFUSED, (method, path)


def test_query_and_headers_change_nothing_for_a_stranger(https: Listener):
    forged = {"X-Forwarded-For": OFFICE[0], "X-GitHub-Event": "push", "Host": "localhost"}
    request = Request("8.8.8.8", "POST", "/events", HOST, "admin=1", forged)
    assert outcome(decide(https, request)) == REFUSED


@pytest.mark.parametrize("source", [OFFICE[0], GITHUB[0], STRANGERS[0]])
def test_http_is_redirected_for_everybody(listeners: dict[int, Listener], source: str):
    decision = decide(listeners[80], Request(source, "POST", "/events", HOST, "a=1"))
    assert decision == Decision("default", "redirect", status=301)
    # What isn't set, the load balancer takes from the request: host, path and query.
    redirect = listeners[80].rules[-1]["Actions"][0]["RedirectConfig"]
    assert redirect == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
