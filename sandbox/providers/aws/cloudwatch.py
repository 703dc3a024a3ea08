"""Alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, only, pairs, rename_tags
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_HOUR, _DAY = 60 * 60, 24 * 60 * 60


class MetricAlarm(AwsResource):
    """An alarm on one metric; the SDK's metric queries, PromQL and evaluation windows are not carried out."""

    sdk_name = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    operation = "PutMetricAlarm"
    listing: ClassVar = Listing("describe_alarms", "MetricAlarms[].AlarmName")
    renamed: ClassVar = {"name": "AlarmName"}
    defaults: ClassVar = {"actionsEnabled": True, "treatMissingData": "missing"}
    handled: ClassVar = frozenset({"dimensions"})
    in_place: ClassVar = frozenset(
        {
            "actionsEnabled",
            "alarmActions",
            "alarmDescription",
            "comparisonOperator",
            "datapointsToAlarm",
            "dimensions",
            "evaluationPeriods",
            "extendedStatistic",
            "insufficientDataActions",
            "metricName",
            "namespace",
            "okActions",
            "period",
            "statistic",
            "threshold",
            "treatMissingData",
            "unit",
        }
    )
    unordered: ClassVar = frozenset({"alarmActions", "okActions", "insufficientDataActions"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """What CloudWatch refuses and the service model doesn't say."""
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

    def create(self, inputs: Properties) -> Created:
        """The id is the name. CloudWatch makes an alarm or changes the one of that name."""
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        self._put(inputs, **tags)
        return Created(inputs["name"])

    def _put(self, inputs: Properties, **more: Any) -> None:
        plain = {name: value for name, value in inputs.items() if name != "dimensions"}
        dimensions = pairs(inputs.get("dimensions") or {}, "Name")
        self.client.put_metric_alarm(**self.request(plain), Dimensions=dimensions, **more)

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """The whole alarm again; its tags apart."""
        if changed - {"tags"}:
            self._put(inputs)
        if "tags" in changed:
            arn = self.backend.arn("cloudwatch", f"alarm:{identity}")
            added, removed = rename_tags(self._tags(arn), inputs.get("tags") or {})
            if added:
                self.client.tag_resource(ResourceARN=arn, Tags=pairs(added))
            if removed:
                self.client.untag_resource(ResourceARN=arn, TagKeys=removed)

    def _tags(self, arn: str) -> dict[str, str]:
        return mapped(self.client.list_tags_for_resource(ResourceARN=arn)["Tags"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """By name."""
        del state
        answer = self.client.describe_alarms(AlarmNames=[identity], AlarmTypes=["MetricAlarm"])
        alarm = only(answer["MetricAlarms"])
        return {
            **self.properties({name: value for name, value in alarm.items() if name != "Dimensions"}),
            "dimensions": mapped(alarm.get("Dimensions"), "Name"),
            "arn": alarm["AlarmArn"],
            "tags": self._tags(alarm["AlarmArn"]),
        }

    def remove(self, identity: str, state: Properties) -> None:
        """At once."""
        del state
        self.client.delete_alarms(AlarmNames=[identity])
