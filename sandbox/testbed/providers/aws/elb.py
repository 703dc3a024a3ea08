"""Load balancers and target groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, Tagging
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties, as_text


class ElbResource(AwsResource):
    """A resource that is identified and tagged by its ARN."""

    service = "elbv2"
    tagging: ClassVar = Tagging("ResourceArns", "describe_tags", "add_tags", "remove_tags", "TagDescriptions[0].Tags")
    built: ClassVar = {"arn": "{id}"}
    in_use: ClassVar = names("ResourceInUse ResourceInUseException")


def _value(text: str, like: Any) -> Any:
    if isinstance(like, bool):
        return text == "true"
    return int(text) if isinstance(like, int) and text.lstrip("-").isdigit() else text


class WithAttributes(ElbResource):
    """A load balancer or target group.

    Attributes are a list of keys and strings in the API, and properties in the SDK.
    """

    name_limit = 32
    attributes: ClassVar[Mapping[str, tuple[str, Any]]]
    """The attribute's key and default value, by property."""
    kind: ClassVar[str]

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Set the changed attributes that differ from the default or that this kind of object has."""
        known = self.known_attributes(identity)
        wanted = {
            key: as_text(default if inputs.get(name) is None else inputs[name])
            for name, (key, default) in self.attributes.items()
            if name in changed and (inputs.get(name) not in (None, default) or key in known)
        }
        self.put_attributes(identity, wanted)
        if self.updates:
            super().update(identity, inputs, changed)

    def put_attributes(self, identity: str, wanted: Mapping[str, str]) -> None:
        """Set attributes, if there are any to set."""
        if wanted:
            attributes = [{"Key": key, "Value": value} for key, value in wanted.items()]
            call = getattr(self.client, f"modify_{self.kind}_attributes")
            call(**{self.deleted.parameter: identity}, Attributes=attributes)

    def known_attributes(self, identity: str) -> dict[str, str]:
        """All attributes of the object."""
        call = Call(f"describe_{self.kind}_attributes", self.deleted.parameter, "Attributes")
        return {item["Key"]: item["Value"] for item in call(self.client, identity, {})}

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        return {**super().found(identity, state), "Attributes": self.known_attributes(identity)}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        known = answer["Attributes"]
        found = {name: _value(known[key], default) for name, (key, default) in self.attributes.items() if key in known}
        return {**super().shown_as(identity, answer, state), **found}


class LoadBalancer(WithAttributes):
    """An application load balancer."""

    sdk_name = "aws:lb/loadBalancer:LoadBalancer"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**super().parameters(inputs), "Scheme": "internal" if inputs.get("internal") else "internet-facing"}

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        super().update(identity, inputs, changed)
        if "accessLogs" in changed:
            logs = inputs.get("accessLogs") or {}
            wanted = {"enabled": "false"}
            if logs.get("enabled"):
                wanted = {"enabled": "true", "bucket": logs["bucket"], "prefix": logs.get("prefix", "")}
            self.put_attributes(identity, {f"access_logs.s3.{name}": value for name, value in wanted.items()})

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        found = super().shown_as(identity, answer, state)
        found["arnSuffix"] = identity.partition("loadbalancer/")[2]
        known = {name: answer["Attributes"].get(f"access_logs.s3.{name}") for name in ("enabled", "bucket", "prefix")}
        if known["enabled"] == "true":
            prefix = {"prefix": known["prefix"]} if known["prefix"] else {}
            found["accessLogs"] = {"enabled": True, "bucket": known["bucket"] or "", **prefix}
        return found


_HEALTH = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


class TargetGroup(WithAttributes):
    """A target group of a load balancer."""

    sdk_name = "aws:lb/targetGroup:TargetGroup"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**super().parameters(inputs), **_health(inputs)}

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        super().update(identity, inputs, changed - {"healthCheck"})
        if "healthCheck" in changed and inputs.get("healthCheck"):
            self.client.modify_target_group(TargetGroupArn=identity, **_health(inputs))

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        check = {name: answer[api] for name, api in _HEALTH.items() if api in answer}
        if answer.get("Matcher", {}).get("HttpCode"):
            check["matcher"] = answer["Matcher"]["HttpCode"]
        found = super().shown_as(identity, answer, state)
        return {**found, "arnSuffix": identity.rpartition(":")[2], "healthCheck": check}


def _health(inputs: Properties) -> dict[str, Any]:
    check = inputs.get("healthCheck") or {}
    parameters = {api: check[name] for name, api in _HEALTH.items() if check.get(name) is not None}
    return {**parameters, **({"Matcher": {"HttpCode": check["matcher"]}} if check.get("matcher") else {})}
