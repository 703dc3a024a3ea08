"""Listeners and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import SCHEMAS
from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.elb import ElbResource
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.aws.mapping import from_api
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_PARTS = {
    "redirect": "RedirectConfig",
    "fixedResponse": "FixedResponseConfig",
    "forward": "ForwardConfig",
    "authenticateOidc": "AuthenticateOidcConfig",
    "authenticateCognito": "AuthenticateCognitoConfig",
    "targetGroups": "TargetGroups",
    "arn": "TargetGroupArn",
    "stickiness": "TargetGroupStickinessConfig",
    "duration": "DurationSeconds",
    "hostHeader": "HostHeaderConfig",
    "pathPattern": "PathPatternConfig",
    "httpHeader": "HttpHeaderConfig",
    "httpRequestMethod": "HttpRequestMethodConfig",
    "queryStrings": "QueryStringConfig",
    "sourceIp": "SourceIpConfig",
}
_RENAMED = {f"*.{name}": parameter for name, parameter in _PARTS.items()}
_FIELDS = {
    "hostHeader": "host-header",
    "pathPattern": "path-pattern",
    "httpHeader": "http-header",
    "httpRequestMethod": "http-request-method",
    "queryStrings": "query-string",
    "sourceIp": "source-ip",
}
_VALUES_PER_RULE = 5
_REDIRECT = {"host": "#{host}", "path": "/#{path}", "port": "#{port}", "protocol": "#{protocol}", "query": "#{query}"}
"""What a redirect keeps of the request where the program says nothing."""


def _redirect_defaults(actions: str) -> dict[str, str]:
    return {f"{actions}.*.redirect.{name}": value for name, value in _REDIRECT.items()}


class _WithActions(ElbResource):
    """Actions mean the same in a listener and in a rule."""

    actions: ClassVar[str]
    renamed: ClassVar = _RENAMED

    def action_rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Each kind of action has settings of its own."""
        for index, action in enumerate(inputs.get(self.actions) or []):
            kind, path = action.get("type"), f"{self.actions}[{index}]"
            if kind == "forward" and not action.get("targetGroupArn") and not action.get("forward"):
                yield path, "a forward action needs targetGroupArn or forward"
            wanted = {"redirect": "redirect", "fixed-response": "fixedResponse"}.get(kind)
            if wanted and not action.get(wanted):
                yield path, f"an action of type {kind} needs {wanted}"
            redirect = action.get("redirect") or {}
            if redirect and redirect.get("statusCode") not in ("HTTP_301", "HTTP_302"):
                yield f"{path}.redirect.statusCode", f"{redirect.get('statusCode')!r} is not one of HTTP_301, HTTP_302"

    def shown_actions(self, actions: list[dict[str, Any]], state: Properties) -> list[Any]:
        """Actions as the program writes them; AWS numbers them and says a single target group twice."""
        shape = SCHEMAS[self.sdk_name].inputs.properties[self.actions].element
        shown = []
        known = state.get(self.actions) or []
        for index, action in enumerate(actions):
            found = from_api(action, shape, self.renamed, "*.") if shape else {}
            wanted = known[index] if index < len(known) else {}
            if "targetGroupArn" in found and not wanted.get("forward"):
                found.pop("forward", None)
            if not wanted.get("order"):
                found.pop("order", None)
            if wanted.get("forward") and not wanted.get("targetGroupArn"):
                found.pop("targetGroupArn", None)
            shown.append(found)
        return shown


class Listener(_WithActions):
    """A port of a load balancer, and what happens where no rule fits."""

    sdk_name = "aws:lb/listener:Listener"
    operation, made = "CreateListener", "Listeners[0].ListenerArn"
    described: ClassVar = Call("describe_listeners", "ListenerArns", "Listeners[0]")
    deleted: ClassVar = Call("delete_listener", "ListenerArn")
    listing: ClassVar = Listing(
        "describe_listeners", "Listeners[].ListenerArn", "aws:lb/loadBalancer:LoadBalancer", argument("LoadBalancerArn")
    )
    actions = "defaultActions"
    nested_defaults: ClassVar = _redirect_defaults(actions)
    renamed: ClassVar = {**_RENAMED, "certificateArn": "Certificates"}
    handled: ClassVar = frozenset({"alpnPolicy", "certificateArn"})
    limits: ClassVar = {"certificateArn": "CreateListener.Certificates.*.CertificateArn"}
    in_place: ClassVar = names("alpnPolicy certificateArn defaultActions port protocol sslPolicy mutualAuthentication")
    computed: ClassVar = frozenset({"sslPolicy", "protocol", "mutualAuthentication"})
    delete_first = True

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from self.action_rules(inputs)
        if inputs.get("protocol") == "HTTPS" and "certificateArn" not in inputs:
            yield "certificateArn", "missing: protocol HTTPS needs it"
        if inputs.get("protocol") == "HTTP":
            for name in ("certificateArn", "sslPolicy"):
                if inputs.get(name):
                    yield name, "must be left out for protocol HTTP"
        if inputs.get("alpnPolicy"):
            yield "alpnPolicy", "only a network load balancer has one"

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        parameters = self.request({n: v for n, v in inputs.items() if n not in self.handled}, operation)
        if inputs.get("certificateArn"):
            parameters["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        for order, action in enumerate(parameters.get("DefaultActions", []), start=1):
            action.setdefault("Order", order)
        return parameters

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & self.in_place - self.handled or "certificateArn" in changed - {"alpnPolicy"}:
            self.client.modify_listener(ListenerArn=identity, **self.parameters(inputs, "ModifyListener"))

    def describe(self, identity: str, state: Properties) -> Properties | None:
        listener = self.found(identity)
        found = self.properties({key: value for key, value in listener.items() if key != "Certificates"})
        certificates = listener.get("Certificates") or []
        found["certificateArn"] = certificates[0]["CertificateArn"] if certificates else None
        found["defaultActions"] = self.shown_actions(listener.get("DefaultActions", []), state)
        return {**found, "arn": identity, "tags": self.tags_of(identity)}


class ListenerRule(_WithActions):
    """What happens to requests that meet conditions."""

    sdk_name = "aws:lb/listenerRule:ListenerRule"
    operation, made = "CreateRule", "Rules[0].RuleArn"
    described: ClassVar = Call("describe_rules", "RuleArns", "Rules[0]")
    deleted: ClassVar = Call("delete_rule", "RuleArn")
    listing: ClassVar = Listing(
        "describe_rules", "Rules[?!IsDefault].RuleArn", "aws:lb/listener:Listener", argument("ListenerArn")
    )
    actions = "actions"
    nested_defaults: ClassVar = _redirect_defaults(actions)
    in_place: ClassVar = frozenset({"actions", "conditions", "priority"})
    computed: ClassVar = frozenset({"priority"})
    unordered: ClassVar = frozenset({"conditions", "values"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Five condition values in a rule, one kind in a condition."""
        yield from self.action_rules(inputs)
        total = 0
        for index, condition in enumerate(inputs.get("conditions") or []):
            kinds = [name for name in _FIELDS if condition.get(name)]
            if len(kinds) != 1:
                yield f"conditions[{index}]", f"must have exactly one of {', '.join(_FIELDS)}"
            for kind in kinds:
                values = condition[kind]
                total += len(values if isinstance(values, list) else values.get("values") or [])
        if total > _VALUES_PER_RULE:
            yield "conditions", f"{total} condition values; a rule takes at most {_VALUES_PER_RULE}, all kinds together"
        priority = inputs.get("priority")
        if isinstance(priority, int) and not 1 <= priority <= 50000:
            yield "priority", f"{priority} is not allowed: 1 to 50000"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """Without a priority the rule comes after all others."""
        parameters = self._actions_and_conditions(inputs)
        if "Priority" not in parameters:
            rules = self.client.describe_rules(ListenerArn=inputs["listenerArn"])["Rules"]
            taken = (int(rule["Priority"]) for rule in rules if not rule["IsDefault"])
            parameters["Priority"] = max(taken, default=0) + 1
        return parameters

    def _actions_and_conditions(self, inputs: Properties) -> dict[str, Any]:
        parameters = self.request({n: v for n, v in inputs.items() if n != "conditions"})
        for order, action in enumerate(parameters.get("Actions", []), start=1):
            action.setdefault("Order", order)
        parameters["Conditions"] = [_condition(condition) for condition in inputs.get("conditions") or []]
        return parameters

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & {"actions", "conditions"}:
            parameters = self._actions_and_conditions(inputs)
            chosen = {name: parameters[name] for name in ("Actions", "Conditions") if name in parameters}
            self.client.modify_rule(RuleArn=identity, **chosen)
        if "priority" in changed and inputs.get("priority"):
            priorities = [{"RuleArn": identity, "Priority": inputs["priority"]}]
            self.client.set_rule_priorities(RulePriorities=priorities)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        rule = self.found(identity)
        found: Properties = {"arn": identity, "priority": int(rule["Priority"])}
        # Not every local AWS says which listener a rule is of; its ARN does.
        listener = identity.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        found["listenerArn"] = state.get("listenerArn") or listener
        found["actions"] = self.shown_actions(rule.get("Actions", []), state)
        found["conditions"] = [_shown_condition(condition) for condition in rule.get("Conditions", [])]
        return {**found, "tags": self.tags_of(identity)}


def _condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    kind = next(name for name in _FIELDS if condition.get(name))
    given = condition[kind]
    settings: dict[str, Any]
    if kind == "queryStrings":
        settings = {"Values": [{key.title(): value for key, value in item.items()} for item in given]}
    elif kind == "httpHeader":
        settings = {"HttpHeaderName": given["httpHeaderName"], "Values": given["values"]}
    else:
        settings = {"Values": given["values"]}
    return {"Field": _FIELDS[kind], _PARTS[kind]: settings}


def _shown_condition(condition: Mapping[str, Any]) -> Properties:
    kind = next(name for name, field in _FIELDS.items() if field == condition["Field"])
    settings = condition.get(_PARTS[kind]) or {"Values": condition.get("Values", [])}
    if kind == "queryStrings":
        return {kind: [{key.lower(): value for key, value in item.items()} for item in settings["Values"]]}
    if kind == "httpHeader":
        return {kind: {"httpHeaderName": settings["HttpHeaderName"], "values": settings["Values"]}}
    return {kind: {"values": settings["Values"]}}
