"""Alarms, their topics, and logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import (
    mapped,
    pairs,
)
from sandbox.testbed.providers.values import Properties


class MetricAlarm(AwsResource):
    """An alarm on one metric. Metric queries, PromQL and evaluation windows of the SDK are not supported."""

    sdk_name = "aws:cloudwatch/metricAlarm:MetricAlarm"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """PutMetricAlarm creates the alarm, or updates an existing alarm with the same name."""
        return {**super().parameters(inputs), "Dimensions": pairs(inputs.get("dimensions") or {}, "Name")}

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        return {**super().shown_as(identity, answer, state), "dimensions": mapped(answer.get("Dimensions"), "Name")}


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


class Topic(AwsResource):
    """A standard topic. SNS has one call per attribute to change an attribute; delivery logs and FIFO topics are not supported."""

    sdk_name = "aws:sns/topic:Topic"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        for name in sorted(changed & self.in_place):
            attribute = name[0].upper() + name[1:]
            self.client.set_topic_attributes(
                TopicArn=identity, AttributeName=attribute, AttributeValue=inputs.get(name, "")
            )

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The attributes have no name, which is the last part of the ARN; an empty one isn't set."""
        found: dict[str, Any] = super().describe(identity, state) or {}
        set_ = {name: value for name, value in found.items() if value not in ("", None) or name == "tags"}
        return {**set_, "name": identity.rpartition(":")[2]}
