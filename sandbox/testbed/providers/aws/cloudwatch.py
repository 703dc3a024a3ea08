"""Alarms, dashboards and logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import (
    mapped,
    pairs,
)
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties

_WIDGETS = names("metric text log alarm explorer custom")
_COLUMNS, _ROWS = 24, 1000


class MetricAlarm(AwsResource):
    """An alarm on one metric. Metric queries, PromQL and evaluation windows of the SDK are not supported."""

    sdk_name = "aws:cloudwatch/metricAlarm:MetricAlarm"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """PutMetricAlarm creates the alarm, or updates an existing alarm with the same name."""
        return {**super().parameters(inputs), "Dimensions": pairs(inputs.get("dimensions") or {}, "Name")}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        return {**super().shown_as(identity, answer, state), "dimensions": mapped(answer.get("Dimensions"), "Name")}


class Dashboard(AwsResource):
    """A dashboard. PutDashboard creates it, or updates an existing dashboard with the same name."""

    sdk_name = "aws:cloudwatch/dashboard:Dashboard"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Rules that CloudWatch reports as validation messages. The local AWS doesn't validate dashboards."""
        wrong = list(super().rules(inputs))
        yield from wrong
        if wrong or not isinstance(inputs.get("dashboardBody"), str):
            return
        body = json.loads(inputs["dashboardBody"])
        widgets = body.get("widgets") if isinstance(body, dict) else None
        if not isinstance(widgets, list):
            yield "dashboardBody", "has no list of widgets"
            return
        for position, widget in enumerate(widgets):
            yield from (("dashboardBody", f"widgets[{position}]: {problem}") for problem in _widget(widget))


def _widget(widget: Any) -> Iterator[str]:
    if not isinstance(widget, dict) or widget.get("type") not in _WIDGETS:
        yield f"its type is not one of {', '.join(sorted(_WIDGETS))}"
        return
    x, width, height = (widget.get(name, default) for name, default in (("x", 0), ("width", 6), ("height", 6)))
    if not (isinstance(width, int) and 1 <= width <= _COLUMNS and isinstance(x, int) and 0 <= x <= _COLUMNS - width):
        yield f"x {x} and width {width} are not within {_COLUMNS} columns"
    if not (isinstance(height, int) and 1 <= height <= _ROWS):
        yield f"height {height} is not 1 to {_ROWS}"
    shown = widget.get("properties")
    if not isinstance(shown, dict):
        yield "properties is missing"
    elif widget["type"] == "metric":
        if not shown.get("region"):
            yield "properties.region is missing"
        for metric in shown.get("metrics") or [[]]:
            match metric:
                case [{"expression": str(expression)}] if expression:
                    continue
            texts = [item for item in metric if not isinstance(item, dict)] if isinstance(metric, list) else []
            if len(texts) < 2 or len(texts) % 2:
                yield f"{metric!r} is not a namespace, a name, and dimensions as names and values, and not an expression"


class LogGroup(AwsResource):
    """A log group. With 0 days, events never expire. The ARN doesn't contain the `:*` that CloudWatch appends."""

    sdk_name = "aws:cloudwatch/logGroup:LogGroup"

    def tag_target(self, identity: str) -> str:
        return self.backend.arn("logs", f"log-group:{identity}")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Without a retention period, there is no retention policy to put."""
        super().update(identity, {**inputs, "retentionInDays": inputs.get("retentionInDays") or None}, changed)


class LogMetricFilter(AwsResource):
    """Makes a metric of a log group's events. The API creates or updates the filter of that name."""

    sdk_name = "aws:cloudwatch/logMetricFilter:LogMetricFilter"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        given = inputs["metricTransformation"]
        transformation = {f"metric{name.capitalize()}": given[name] for name in ("name", "namespace", "value")}
        transformation |= {name: given[name] for name in ("dimensions", "unit") if given.get(name)}
        if given.get("defaultValue"):
            transformation["defaultValue"] = float(given["defaultValue"])
        return {**super().parameters(inputs), "metricTransformations": [transformation]}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        (found,) = answer["metricTransformations"]
        transformation = {name: found[f"metric{name.capitalize()}"] for name in ("name", "namespace", "value")}
        transformation["unit"] = found.get("unit") or "None"
        transformation |= {"dimensions": found["dimensions"]} if found.get("dimensions") else {}
        return {**super().shown_as(identity, answer, state), "metricTransformation": transformation}
