"""Listener rules: who reaches which path, input by input."""

from typing import Any

import pytest

from components.ingress.listener_rules import chunks
from tests.unit.recording import Graph, arn_of
from tests.unit.stacks import ALLOWED, BARE, PRODUCTION, TAGS, stack

RULE = "aws:lb/listenerRule:ListenerRule"
ONLY_WEBHOOKS = [{"pathPattern": {"values": ["/events"]}}, {"httpRequestMethod": {"values": ["POST"]}}]


def rule(priority: int, *conditions: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    return {
        "listenerArn": arn_of("ingress-https"),
        "priority": priority,
        "conditions": [*conditions, {"sourceIp": {"values": sources}}],
        "actions": [{"type": "forward", "targetGroupArn": arn_of("ingress-targets")}],
        "tags": TAGS,
    }


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


def test_chunks_keep_the_order_and_lose_nothing() -> None:
    assert chunks(["a", "b", "c", "d", "e"], 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert chunks([], 2) == []
