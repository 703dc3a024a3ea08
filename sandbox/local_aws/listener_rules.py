"""What a load balancer answers: its listener rules as AWS evaluates them, for requests that the local load balancer can't make.

The local load balancer takes every source address for a match. Here the rules that were deployed are read back and evaluated
whole, source address included (Elastic Load Balancing, User Guide for Application Load Balancers, "Condition types for
listener rules"). A condition or an action that is unknown here is an error, never a match or a miss.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Decision", "Listener", "Request", "UnknownRuleError", "decide", "read_listeners"]

Rule = Mapping[str, Any]
"""A rule as DescribeRules returns it."""


class UnknownRuleError(ValueError):
    """A rule has something that can't be evaluated here; the message names it and the rule."""


@dataclass(frozen=True)
class Request:
    """One HTTP request, as the load balancer sees it."""

    source: str
    """The address that the connection comes from, IPv4 or IPv6."""
    method: str = "GET"
    path: str = "/"
    host: str = ""
    """Without a port."""
    query: str = ""
    """Without the question mark."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What happens to a request."""

    priority: str
    """The rule's, `default` where no other matched."""
    action: str
    """`forward`, `fixed-response` or `redirect`."""
    status: int | None = None
    """The answer's, where the load balancer itself answers."""
    target_groups: tuple[str, ...] = ()
    """ARNs, where it forwards."""
    location: str = ""
    """Where it redirects to."""
    signed_in: bool = False
    """Whether it forwards only requests of people who have signed in."""


@dataclass(frozen=True)
class Listener:
    """A listener with its rules, the default one included."""

    port: int
    protocol: str
    rules: tuple[Rule, ...]


def read_listeners(client: Any, load_balancer: str) -> list[Listener]:
    """The listeners of the load balancer of this name, by port; `client` is boto3's `elbv2`."""
    arn = client.describe_load_balancers(Names=[load_balancer])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = client.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn).build_full_result()
    return sorted(
        (_read_listener(client, described) for described in listeners["Listeners"]), key=lambda found: found.port
    )


def decide(listener: Listener, request: Request) -> Decision:
    """What the first of the listener's rules that matches, in the order of their priorities, does with `request`.

    Raises:
        UnknownRuleError: any rule has a condition, or the one that matches an action, that is unknown here.
    """
    matching = [rule for rule in sorted(listener.rules, key=_order) if _matches(rule, request)]
    if not matching:
        raise UnknownRuleError("there is no default rule, and every listener has one")
    return _decision(matching[0], listener, request)


def _read_listener(client: Any, described: Mapping[str, Any]) -> Listener:
    rules = client.get_paginator("describe_rules").paginate(ListenerArn=described["ListenerArn"]).build_full_result()
    return Listener(described["Port"], described["Protocol"], tuple(rules["Rules"]))


def _order(rule: Rule) -> float:
    return float("inf") if rule["Priority"] == "default" else int(rule["Priority"])


def _matches(rule: Rule, request: Request) -> bool:
    # Every condition is looked at, so that an unknown one is found behind one that doesn't match.
    answers = [_condition_matches(rule, condition, request) for condition in rule.get("Conditions", [])]
    return all(answers)


def _condition_matches(rule: Rule, condition: Mapping[str, Any], request: Request) -> bool:
    name = condition["Field"]
    if name not in _CONDITIONS:
        raise UnknownRuleError(f"rule {rule['Priority']}: condition {name} is unknown")
    config_name, evaluate = _CONDITIONS[name]
    # Path and host may come in the older form, with the values beside the field's name.
    config = condition.get(config_name) or {"Values": condition.get("Values", [])}
    unknown = set(config) - {"Values", "HttpHeaderName"}
    if any(config[member] for member in unknown) or not config.get("Values"):
        what = f"{name} with {', '.join(sorted(unknown))}" if unknown else f"{name} without values"
        raise UnknownRuleError(f"rule {rule['Priority']}: condition {what} is unknown")
    return evaluate(config, request)


def _source_matches(config: Mapping[str, Any], request: Request) -> bool:
    source = ipaddress.ip_address(request.source)
    return any(source in ipaddress.ip_network(block) for block in config["Values"])


def _path_matches(config: Mapping[str, Any], request: Request) -> bool:
    return any(_pattern(value).fullmatch(request.path) for value in config["Values"])


def _host_matches(config: Mapping[str, Any], request: Request) -> bool:
    return any(_pattern(value, re.IGNORECASE).fullmatch(request.host) for value in config["Values"])


def _method_matches(config: Mapping[str, Any], request: Request) -> bool:
    return request.method in config["Values"]


def _header_matches(config: Mapping[str, Any], request: Request) -> bool:
    sent = {name.lower(): value for name, value in request.headers.items()}.get(config["HttpHeaderName"].lower())
    return sent is not None and any(_pattern(value, re.IGNORECASE).fullmatch(sent) for value in config["Values"])


def _query_matches(config: Mapping[str, Any], request: Request) -> bool:
    sent = parse_qsl(request.query, keep_blank_values=True)
    return any(
        _query_pattern(wanted["Value"]).fullmatch(value)
        and ("Key" not in wanted or _query_pattern(wanted["Key"]).fullmatch(key))
        for wanted in config["Values"]
        for key, value in sent
    )


_CONDITIONS: dict[str, tuple[str, Callable[[Mapping[str, Any], Request], bool]]] = {
    "source-ip": ("SourceIpConfig", _source_matches),
    "path-pattern": ("PathPatternConfig", _path_matches),
    "host-header": ("HostHeaderConfig", _host_matches),
    "http-request-method": ("HttpRequestMethodConfig", _method_matches),
    "http-header": ("HttpHeaderConfig", _header_matches),
    "query-string": ("QueryStringConfig", _query_matches),
}
"""By field: the member that holds the values, and whether a request has one of them."""


def _pattern(value: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """`*` stands for any number of characters, `?` for exactly one."""
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in value), flags | re.DOTALL)


def _query_pattern(value: str) -> re.Pattern[str]:
    r"""As elsewhere, but `\*` and `\?` stand for the characters themselves."""
    parts: list[str] = re.findall(r"\\[*?]|.", value, re.DOTALL)
    words = (_WILDCARDS.get(part) or re.escape(part[-1]) for part in parts)
    return re.compile("".join(words), re.IGNORECASE | re.DOTALL)


_WILDCARDS = {"*": ".*", "?": "."}


def _decision(rule: Rule, listener: Listener, request: Request) -> Decision:
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
        config = action["RedirectConfig"]
        status = int(config["StatusCode"].removeprefix("HTTP_"))
        return Decision(rule["Priority"], kind, status=status, location=_location(config, listener, request))
    raise UnknownRuleError(f"rule {rule['Priority']}: action {kind} is unknown")


def _location(config: Mapping[str, str], listener: Listener, request: Request) -> str:
    """The address that a redirect names; what the action leaves out stays as the request has it."""
    present = {
        "protocol": listener.protocol,
        "host": request.host,
        "port": str(listener.port),
        "path": request.path.lstrip("/"),
        "query": request.query,
    }

    def filled(member: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: present[found[1]], config.get(member) or default)

    address = f"{filled('Protocol', '#{protocol}').lower()}://{filled('Host', '#{host}')}:{filled('Port', '#{port}')}"
    query = filled("Query", "#{query}")
    return address + filled("Path", "/#{path}") + (f"?{query}" if query else "")
