"""The rule evaluator, condition by condition, on rules as DescribeRules returns them."""

from typing import Any

import pytest

from sandbox.testbed.local_aws.listener_rules import (
    Decision,
    Listener,
    Request,
    UnknownRuleError,
    decide,
)
from tests.tables import table

GROUP = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/atlantis-prod-atlantis/1"
FORWARD = {"Type": "forward", "TargetGroupArn": GROUP}
DEFAULT = {
    "Priority": "default",
    "Conditions": [],
    "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}],
}


def listener(*rules: dict[str, Any]) -> Listener:
    return Listener(443, "HTTPS", (*rules, DEFAULT))


def rule(*conditions: dict[str, Any], priority: int = 1, action: dict[str, Any] = FORWARD) -> dict[str, Any]:
    return {"Priority": str(priority), "Conditions": list(conditions), "Actions": [action]}


def condition(name: str, *values: Any, **more: str) -> dict[str, Any]:
    member = {
        "source-ip": "SourceIpConfig",
        "path-pattern": "PathPatternConfig",
        "host-header": "HostHeaderConfig",
        "http-request-method": "HttpRequestMethodConfig",
        "http-header": "HttpHeaderConfig",
    }[name]
    return {"Field": name, "Values": [], member: {"Values": list(values)} | more}


def request(source: str = "203.0.113.7", **parts: Any) -> Request:
    return Request(source, **parts)


@pytest.mark.parametrize(("name", "values", "sent", "matches"), table(__file__, "conditions"))
def test_condition_is_compared_as_on_aws(*, name: str, values: list[Any], sent: dict[str, Any], matches: bool):
    header = {"HttpHeaderName": "X-GitHub-Event"} if name == "http-header" else {}
    decided = decide(listener(rule(condition(name, *values, **header))), request(**sent))
    assert decided.action == ("forward" if matches else "fixed-response")


def test_every_condition_must_match_and_one_value_of_each_is_enough():
    both = rule(condition("source-ip", "192.0.2.0/24", "203.0.113.0/24"), condition("path-pattern", "/events"))
    assert decide(listener(both), request(path="/events")).action == "forward"
    assert decide(listener(both), request(path="/")).action == "fixed-response"
    assert decide(listener(both), request("198.51.100.1", path="/events")).action == "fixed-response"


def test_lowest_priority_decides_whatever_the_order_they_are_listed_in():
    refuse = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    rules = [rule(priority=20), rule(priority=100), rule(priority=3, action=refuse)]
    assert decide(listener(*rules), request()) == Decision("3", "fixed-response", status=404)
    assert decide(listener(*rules[:2]), request()) == Decision("20", "forward", target_groups=(GROUP,))


def test_older_form_of_a_condition_counts():
    older = {"Field": "path-pattern", "Values": ["/events"]}
    assert decide(listener(rule(older)), request(path="/events")).action == "forward"
    assert decide(listener(rule(older)), request(path="/")).action == "fixed-response"


def test_last_action_decides():
    login = {"Type": "authenticate-oidc", "Order": 1}
    rules = {"Priority": "1", "Conditions": [], "Actions": [FORWARD | {"Order": 2}, login]}
    assert decide(listener(rules), request()) == Decision("1", "forward", target_groups=(GROUP,), signed_in=True)


def test_a_redirect_has_its_status():
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    assert decide(listener(rule(action=redirect)), request()) == Decision("1", "redirect", status=301)


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ({"Field": "source-country", "Values": ["KR"]}, "rule 7: condition source-country is unknown"),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/e"]}},
            "rule 7: condition path-pattern with RegexValues is unknown",
        ),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"Values": []}},
            "rule 7: condition path-pattern without values is unknown",
        ),
    ],
)
def test_unknown_condition_is_an_error_even_behind_one_that_does_not_match(unknown: dict[str, Any], said: str):
    with pytest.raises(UnknownRuleError, match=said.replace(".", r"\.")):
        decide(listener(rule(condition("source-ip", "192.0.2.0/24"), unknown, priority=7)), request())


def test_unknown_action_is_an_error():
    with pytest.raises(UnknownRuleError, match="rule 1: action jwt-validation is unknown"):
        decide(listener(rule(action={"Type": "jwt-validation"})), request())


def test_listener_without_a_default_rule_is_an_error():
    with pytest.raises(UnknownRuleError, match="no default rule"):
        decide(Listener(443, "HTTPS", ()), request())
