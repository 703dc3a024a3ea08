"""Target groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.elb import WithAttributes, name_rules
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_GROUP = {
    "deregistrationDelay": ("deregistration_delay.timeout_seconds", 300),
    "slowStart": ("slow_start.duration_seconds", 0),
    "loadBalancingAlgorithmType": ("load_balancing.algorithm.type", "round_robin"),
    "loadBalancingAnomalyMitigation": ("load_balancing.algorithm.anomaly_mitigation", "off"),
    "loadBalancingCrossZoneEnabled": (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
    ),
}
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
    """Where a load balancer sends requests."""

    sdk_name = "aws:lb/targetGroup:TargetGroup"
    operation, made = "CreateTargetGroup", "TargetGroups[0].TargetGroupArn"
    described: ClassVar = Call("describe_target_groups", "TargetGroupArns", "TargetGroups[0]")
    deleted: ClassVar = Call("delete_target_group", "TargetGroupArn")
    listing: ClassVar = Listing("describe_target_groups", "TargetGroups[].TargetGroupArn")
    kind = "target_group"
    parameter = "TargetGroupArn"
    name_limit = 32
    attributes: ClassVar = _GROUP
    defaults: ClassVar = {
        "deregistrationDelay": 300,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "slowStart": 0,
        "targetType": "instance",
    }
    handled: ClassVar = frozenset({*_GROUP, "healthCheck", "lambdaMultiValueHeadersEnabled", "proxyProtocolV2"})
    in_place: ClassVar = frozenset({*_GROUP, "healthCheck"})
    computed: ClassVar = names(
        "healthCheck ipAddressType loadBalancingAlgorithmType loadBalancingAnomalyMitigation loadBalancingCrossZoneEnabled "
        "protocolVersion"
    )

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from name_rules(inputs)
        for name in ("lambdaMultiValueHeadersEnabled", "proxyProtocolV2"):
            if inputs.get(name):
                yield name, "has no meaning for a group of an application load balancer"
        delay = inputs.get("deregistrationDelay")
        if isinstance(delay, int) and not 0 <= delay <= 3600:
            yield "deregistrationDelay", f"{delay} is not allowed: 0 to 3600"
        if inputs.get("targetType") in ("instance", "ip"):
            for name in ("port", "protocol"):
                if name not in inputs:
                    yield name, f"missing: a group of type {inputs['targetType']} needs it"
        check = inputs.get("healthCheck") or {}
        limits = {
            "healthyThreshold": (2, 10),
            "unhealthyThreshold": (2, 10),
            "interval": (5, 300),
            "timeout": (2, 120),
        }
        for name, (low, high) in limits.items():
            value = check.get(name)
            if isinstance(value, int) and not low <= value <= high:
                yield f"healthCheck.{name}", f"{value} is not allowed: {low} to {high}"
        if isinstance(check.get("timeout"), int) and check["timeout"] >= check.get("interval", 30):
            yield (
                "healthCheck.timeout",
                f"{check['timeout']} must be shorter than the interval ({check.get('interval', 30)})",
            )

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**self.request(inputs), **self._health(inputs)}

    def _health(self, inputs: Properties) -> dict[str, Any]:
        check = inputs.get("healthCheck") or {}
        parameters = {api: check[name] for name, api in _HEALTH.items() if check.get(name) is not None}
        if check.get("matcher"):
            parameters["Matcher"] = {"HttpCode": check["matcher"]}
        return parameters

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.put_attributes(identity, inputs, changed)
        if "healthCheck" in changed and inputs.get("healthCheck"):
            self.client.modify_target_group(TargetGroupArn=identity, **self._health(inputs))
        if "tags" in changed:
            self.retag(identity, inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        group = self.found(identity)
        found = {**self.properties(group, "loadBalancerArns"), **self.read_attributes(identity)}
        found |= {"name": group["TargetGroupName"], "arn": identity, "arnSuffix": identity.rpartition(":")[2]}
        check = {name: group[api] for name, api in _HEALTH.items() if api in group}
        if group.get("Matcher", {}).get("HttpCode"):
            check["matcher"] = group["Matcher"]["HttpCode"]
        return {**found, "healthCheck": check, "tags": self.tags_of(identity)}
