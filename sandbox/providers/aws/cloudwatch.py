"""Alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging, mapped, pairs
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_HOUR, _DAY = 60 * 60, 24 * 60 * 60


class MetricAlarm(AwsResource):
    """An alarm on one metric; the SDK's metric queries, PromQL and evaluation windows are not carried out."""

    sdk_name = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    operation, named = "PutMetricAlarm", "{name}"
    described: ClassVar = Call("describe_alarms", "AlarmNames", "MetricAlarms[0]")
    deleted: ClassVar = Call("delete_alarms", "AlarmNames")
    tagging: ClassVar = Tagging("ResourceARN")
    listing: ClassVar = Listing("describe_alarms", "MetricAlarms[].AlarmName")
    renamed: ClassVar = {"name": "AlarmName"}
    defaults: ClassVar = {"actionsEnabled": True, "treatMissingData": "missing"}
    handled: ClassVar = frozenset({"dimensions"})
    in_place: ClassVar = names(
        "actionsEnabled alarmActions alarmDescription comparisonOperator datapointsToAlarm dimensions evaluationPeriods "
        "extendedStatistic insufficientDataActions metricName namespace okActions period statistic threshold treatMissingData "
        "unit"
    )
    unordered: ClassVar = names("alarmActions okActions insufficientDataActions")

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        for name in ("comparisonOperator", "evaluationPeriods", "metricName", "namespace", "period", "threshold"):
            if name not in inputs:
                yield name, "missing: an alarm on a metric needs it"
        if ("statistic" in inputs) == ("extendedStatistic" in inputs):
            yield "statistic", "exactly one of statistic, extendedStatistic must be given"
        if inputs.get("treatMissingData") not in _MISSING:
            yield "treatMissingData", f"{inputs.get('treatMissingData')!r} is not one of {', '.join(_MISSING)}"
        period, periods = inputs.get("period"), inputs.get("evaluationPeriods")
        if isinstance(period, int) and period not in (10, 20, 30) and (period < 1 or period % 60):
            yield "period", f"{period} is not 10, 20, 30 or a multiple of 60"
        if isinstance(period, int) and isinstance(periods, int):
            longest = 7 * _DAY if period >= _HOUR else _DAY
            if period * periods > longest:
                yield "evaluationPeriods", f"{periods} of {period} s are {period * periods} s, more than {longest}"
            if isinstance(inputs.get("datapointsToAlarm"), int) and inputs["datapointsToAlarm"] > periods:
                yield "datapointsToAlarm", f"{inputs['datapointsToAlarm']} is more than evaluationPeriods, {periods}"
        for name in ("alarmActions", "okActions", "insufficientDataActions"):
            for position, action in enumerate(inputs.get(name) or []):
                if isinstance(action, str) and not action.startswith("arn:"):
                    yield f"{name}[{position}]", f"{action!r} is not an ARN"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """CloudWatch makes an alarm or changes the one of that name."""
        plain = {name: value for name, value in inputs.items() if name != "dimensions"}
        return {**self.request(plain), "Dimensions": pairs(inputs.get("dimensions") or {}, "Name")}

    def tag_target(self, identity: str) -> str:
        return self.backend.arn("cloudwatch", f"alarm:{identity}")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        alarm = self.found(identity)
        return {
            **self.properties({name: value for name, value in alarm.items() if name != "Dimensions"}),
            "dimensions": mapped(alarm.get("Dimensions"), "Name"),
            "arn": alarm["AlarmArn"],
            "tags": self.tags_of(identity),
        }
