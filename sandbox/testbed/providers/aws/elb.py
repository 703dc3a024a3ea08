"""Load balancers, target groups, and web ACLs in front of load balancers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, Tagging
from sandbox.testbed.providers.aws.listing import Listing
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

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Validate the name."""
        yield from super().rules(inputs)
        name = inputs.get("name", "a")
        if len(name) > 32:
            yield "name", f"{name!r} is {len(name)} characters long; at most 32 are allowed"
        elif not re.fullmatch(r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?", name):
            yield (
                "name",
                f"{name!r}: only letters, digits and hyphens, none at either end, and not internal- at the beginning",
            )

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

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        subnets = inputs.get("subnets")
        if isinstance(subnets, list) and len(set(subnets)) < 2:
            yield "subnets", "an application load balancer needs two subnets in different zones"

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

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        for name in ("port", "protocol"):
            if inputs.get("targetType") in ("instance", "ip") and name not in inputs:
                yield name, f"missing: a group of type {inputs['targetType']} needs it"
        check = inputs.get("healthCheck") or {}
        timeout, interval = check.get("timeout"), check.get("interval", 30)
        if isinstance(timeout, int) and timeout >= interval:
            yield "healthCheck.timeout", f"{timeout} must be shorter than the interval ({interval})"

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


class WebAclAssociation(AwsResource):
    """A web ACL's association with a resource. A resource has at most one; another web ACL is a replacement."""

    sdk_name = "aws:wafv2/webAclAssociation:WebAclAssociation"
    listing: ClassVar = Listing(
        "list_resources_for_web_acl",
        "ResourceArns[]",
        "aws:wafv2/webAcl:WebAcl",
        "WebACLArn",
        name=lambda web_acl, resource: f"{web_acl},{resource}",
    )
