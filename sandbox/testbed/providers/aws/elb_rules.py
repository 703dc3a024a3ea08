"""Listeners and their rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from botocore import xform_name

from sandbox.testbed.providers.aws.elb import ElbResource
from sandbox.testbed.providers.values import Properties

_KINDS = ("hostHeader", "pathPattern", "httpHeader", "httpRequestMethod", "sourceIp")
"""The supported condition types; query strings aren't supported."""
_RENAMED = {
    **{f"*.{name}": f"{name}Config" for name in (*_KINDS, "redirect", "fixedResponse", "forward", "authenticateOidc")},
    "*.authenticateCognito": "AuthenticateCognitoConfig",
    "*.arn": "TargetGroupArn",
    "*.stickiness": "TargetGroupStickinessConfig",
    "*.duration": "DurationSeconds",
}


class _WithActions(ElbResource):
    """Actions are the same for listeners and rules."""

    actions: ClassVar[str]
    renamed: ClassVar = _RENAMED

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Each action type requires its configuration."""
        yield from super().rules(inputs)
        for index, action in enumerate(inputs.get(self.actions) or []):
            kind, path = action.get("type"), f"{self.actions}[{index}]"
            if kind == "forward" and not action.get("targetGroupArn") and not action.get("forward"):
                yield path, "a forward action needs targetGroupArn or forward"
            wanted = {"redirect": "redirect", "fixed-response": "fixedResponse"}.get(kind)
            if wanted and not action.get(wanted):
                yield path, f"an action of type {kind} needs {wanted}"

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        """The API requires an order for each action; the program may omit it."""
        parameters = self.request({n: v for n, v in inputs.items() if n not in self.handled}, operation)
        for order, action in enumerate(parameters[self.actions[0].upper() + self.actions[1:]], start=1):
            action.setdefault("Order", order)
        return parameters

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The actions in the program's form. The API returns a single target group in two places."""
        found = super().shown_as(identity, answer, state)
        known = state.get(self.actions) or []
        for index, action in enumerate(found[self.actions]):
            wanted = known[index] if index < len(known) else {}
            if "targetGroupArn" in action and not wanted.get("forward"):
                action.pop("forward", None)
            if not wanted.get("order"):
                action.pop("order", None)
            if wanted.get("forward") and not wanted.get("targetGroupArn"):
                action.pop("targetGroupArn", None)
        return found


class Listener(_WithActions):
    """A listener: a port of a load balancer, with the default actions for requests that match no rule."""

    sdk_name = "aws:lb/listener:Listener"

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        parameters = super().parameters(inputs, operation)
        if inputs.get("certificateArn"):
            parameters["Certificates"] = [{"CertificateArn": inputs["certificateArn"]}]
        return parameters

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.modify_listener(ListenerArn=identity, **self.parameters(inputs, "ModifyListener"))


class ListenerRule(_WithActions):
    """A rule of a listener: conditions, and the actions for requests that match them."""

    sdk_name = "aws:lb/listenerRule:ListenerRule"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A condition has exactly one type."""
        yield from super().rules(inputs)
        for index, condition in enumerate(inputs.get("conditions") or []):
            kinds = [name for name in _KINDS if condition.get(name)]
            if len(kinds) != 1 or len(condition) != 1:
                yield f"conditions[{index}]", f"must have exactly one of {', '.join(_KINDS)}"
        if "priority" not in inputs:
            yield "priority", "missing: the stand-in looks for no free one"

    def parameters(self, inputs: Properties, operation: str = "") -> dict[str, Any]:
        parameters = super().parameters(inputs, operation)
        for condition, given in zip(parameters["Conditions"], inputs["conditions"], strict=True):
            condition["Field"] = xform_name(next(iter(given)), "-")
        return parameters

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if changed & {"actions", "conditions"}:
            self.client.modify_rule(RuleArn=identity, **self.parameters(inputs, "ModifyRule"))
        if "priority" in changed:
            priorities = [{"RuleArn": identity, "Priority": inputs["priority"]}]
            self.client.set_rule_priorities(RulePriorities=priorities)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The rule's ARN contains its listener."""
        listener = identity.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        found = super().shown_as(identity, answer, state)
        return {**found, "listenerArn": listener, "priority": int(answer["Priority"])}
