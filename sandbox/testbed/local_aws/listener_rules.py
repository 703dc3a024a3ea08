"""Evaluates deployed listener rules as AWS does, for requests that can't be sent to the local load balancer.

The local load balancer treats every source address as a match. This module reads the deployed rules and evaluates all
conditions, including the source address (Elastic Load Balancing, User Guide for Application Load Balancers, "Condition
types for listener rules"). An unsupported condition or action is an error, never a match or a mismatch.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]
"""A rule as DescribeRules returns it."""


class UnknownRuleError(ValueError):
    """A rule contains a condition or an action that isn't supported. The message names both."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, as the load balancer sees it."""

    source: str
    """The client's IPv4 or IPv6 address."""
    method: str = "GET"
    path: str = "/"
    host: str = ""
    """The host without a port."""
    query: str = ""
    """The query string without the question mark."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """The load balancer's action for a request."""

    priority: str
    """The priority of the matching rule, or `default`."""
    action: str
    """`forward`, `fixed-response` or `redirect`."""
    status: int | None = None
    """The HTTP status of a fixed response or redirect."""
    target_groups: tuple[str, ...] = ()
    """ARNs of the target groups of a forward action."""
    signed_in: bool = False
    """Whether the action requires authentication first (`authenticate-oidc`)."""


@dataclass(frozen=True)
class Listener:
    """A listener with its rules, including the default rule."""

    port: int
    protocol: str
    rules: tuple[Rule, ...]


def read_listeners(client: Any, load_balancer: str) -> list[Listener]:
    """The listeners of the load balancer with this name, sorted by port. `client` is boto3's `elbv2`."""
    arn = client.describe_load_balancers(Names=[load_balancer])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn).build_full_result()
    return sorted(
        (_read_listener(client, described) for described in listeners["Listeners"]), key=lambda found: found.port
    )


def decide(listener: Listener, request: Request) -> Decision:
    """The decision of the first rule in order of priority that matches `request`.

    Raises:
        UnknownRuleError: a rule has an unsupported condition, or the matching rule has an unsupported action.
    """
    matching = [rule for rule in sorted(listener.rules, key=_order) if _matches(rule, request)]
    if not matching:
        raise UnknownRuleError("there is no default rule, and every listener has one")
    return _decision(matching[0])


def _read_listener(client: Any, described: Mapping[str, Any]) -> Listener:
    rules = client.get_paginator("describe_rules").paginate(ListenerArn=described["ListenerArn"]).build_full_result()
    return Listener(described["Port"], described["Protocol"], tuple(rules["Rules"]))


def _order(rule: Rule) -> float:
    return float("inf") if rule["Priority"] == "default" else int(rule["Priority"])


def _matches(rule: Rule, request: Request) -> bool:
    # Evaluate all conditions, so that an unsupported one is detected even after a mismatch.
    answers = [_condition_matches(rule, condition, request) for condition in rule.get("Conditions", [])]
    return all(answers)


def _condition_matches(rule: Rule, condition: Mapping[str, Any], request: Request) -> bool:
    name = condition["Field"]
    if name not in _CONDITIONS:
        raise UnknownRuleError(f"rule {rule['Priority']}: condition {name} is unknown")
    config_name, evaluate = _CONDITIONS[name]
    # Path and host conditions may have the older form, with the values next to the field name.
    config = condition.get(config_name) or {"Values": condition.get("Values", [])}
    unknown = set(config) - {"Values", "HttpHeaderName"}
    if any(config[member] for member in unknown) or not config.get("Values"):
        what = f"{name} with {', '.join(sorted(unknown))}" if unknown else f"{name} without values"
        raise UnknownRuleError(f"rule {rule['Priority']}: condition {what} is unknown")
    return evaluate(config, request)


def _source_matches(config: Mapping[str, Any], request: Request) -> bool:
    source = ipaddress.ip_address(request.source)
    return any(source in ipaddress.ip_network(block) for block in config["Values"])


def _header_matches(config: Mapping[str, Any], request: Request) -> bool:
    sent = {name.lower(): value for name, value in request.headers.items()}.get(config["HttpHeaderName"].lower())
    return sent is not None and _fits(sent, config, re.IGNORECASE)


def _fits(text: str, config: Mapping[str, Any], flags: re.RegexFlag = re.NOFLAG) -> bool:
    return any(_pattern(value, flags).fullmatch(text) for value in config["Values"])


_CONDITIONS: dict[str, tuple[str, Callable[[Mapping[str, Any], Request], bool]]] = {
    "source-ip": ("SourceIpConfig", _source_matches),
    "path-pattern": ("PathPatternConfig", lambda config, request: _fits(request.path, config)),
    "host-header": ("HostHeaderConfig", lambda config, request: _fits(request.host, config, re.IGNORECASE)),
    "http-request-method": ("HttpRequestMethodConfig", lambda config, request: request.method in config["Values"]),
    "http-header": ("HttpHeaderConfig", _header_matches),
}
"""The member with the values, and the function that matches a request, by field."""


def _pattern(value: str, flags: re.RegexFlag) -> re.Pattern[str]:
    """A pattern in which `*` matches any number of characters and `?` exactly one."""
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in value), flags | re.DOTALL)


_WILDCARDS = {"*": ".*", "?": "."}


def _decision(rule: Rule) -> Decision:
    *before, action = sorted(rule["Actions"], key=lambda found: found.get("Order", 1))
    if unknown := {found["Type"] for found in before} - {"authenticate-oidc"}:
        raise UnknownRuleError(f"rule {rule['Priority']}: action {', '.join(sorted(unknown))} is unknown")
    kind = action["Type"]
    if kind == "forward":
        groups = action.get("ForwardConfig", {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
        arns = tuple(group["TargetGroupArn"] for group in groups)
        return Decision(rule["Priority"], kind, target_groups=arns, signed_in=bool(before))
    if kind == "fixed-response":
        return Decision(rule["Priority"], kind, status=int(action["FixedResponseConfig"]["StatusCode"]))
    if kind == "redirect":
        status = int(action["RedirectConfig"]["StatusCode"].removeprefix("HTTP_"))
        return Decision(rule["Priority"], kind, status=status)
    raise UnknownRuleError(f"rule {rule['Priority']}: action {kind} is unknown")
