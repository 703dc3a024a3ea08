"""Target groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.elb import WithAttributes
from sandbox.providers.aws.listing import Listing
from sandbox.providers.values import Properties

_ATTRIBUTES = {
    "deregistrationDelay": ("deregistration_delay.timeout_seconds", 300),
    "slowStart": ("slow_start.duration_seconds", 0),
    "loadBalancingAlgorithmType": ("load_balancing.algorithm.type", "round_robin"),
    "loadBalancingAnomalyMitigation": ("load_balancing.algorithm.anomaly_mitigation", "off"),
    "loadBalancingCrossZoneEnabled": ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
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
_OF_OTHER_BALANCERS = ("lambdaMultiValueHeadersEnabled", "proxyProtocolV2")


class TargetGroup(WithAttributes):
    """Where a load balancer sends requests."""

    sdk_name = "aws:lb/targetGroup:TargetGroup"
    operation, made = "CreateTargetGroup", "TargetGroups[0].TargetGroupArn"
    described: ClassVar = Call("describe_target_groups", "TargetGroupArns", "TargetGroups[0]")
    deleted: ClassVar = Call("delete_target_group", "TargetGroupArn")
    listing: ClassVar = Listing("describe_target_groups", "TargetGroups[].TargetGroupArn")
    kind = "target_group"
    attributes: ClassVar = _ATTRIBUTES
    shown: ClassVar = {"name": "TargetGroupName"}
    defaults: ClassVar = {
        "deregistrationDelay": 300,
        **dict.fromkeys(_OF_OTHER_BALANCERS, False),
        "slowStart": 0,
        "targetType": "instance",
    }
    bounds: ClassVar = {
        "deregistrationDelay": (0, 3600),
        "healthCheck.healthyThreshold": (2, 10),
        "healthCheck.unhealthyThreshold": (2, 10),
        "healthCheck.interval": (5, 300),
        "healthCheck.timeout": (2, 120),
    }
    choices: ClassVar = dict.fromkeys(_OF_OTHER_BALANCERS, (False,))
    handled: ClassVar = frozenset({*_ATTRIBUTES, *_OF_OTHER_BALANCERS, "healthCheck"})
    in_place: ClassVar = handled.difference(_OF_OTHER_BALANCERS)
    outputs = ("loadBalancerArns",)

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
