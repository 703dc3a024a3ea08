"""Examples: logs, metrics, alarms and dashboards."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sandbox.testbed.providers.values import Properties
from tests.sandbox.providers.examples.example import Example, World

_TOPIC = "arn:aws:sns:ap-northeast-2:123456789012:example"


def _dashboard(metric: str) -> str:
    shown = {"region": "ap-northeast-2", "metrics": [["AWS/ECS", metric, "ClusterName", "example"]]}
    return json.dumps({"widgets": [{"type": "metric", "x": 0, "y": 0, "width": 8, "height": 6, "properties": shown}]})


def _destination(w: World) -> Properties:
    return {
        "bucketArn": f"arn:aws:s3:::{w['bucket']}",
        "roleArn": w["role_arn"],
        "prefix": "log/!{timestamp:yyyy}/",
        "errorOutputPrefix": "undelivered/!{firehose:error-output-type}/",
        "bufferingSize": 64,
        "bufferingInterval": 900,
        "compressionFormat": "UNCOMPRESSED",
        "kmsKeyArn": w["key_arn"],
    }


def _range(**own: object) -> Properties:
    return {"serviceNamespace": "ecs", "scalableDimension": "ecs:service:DesiredCount", **own}


def _tracking(value: float) -> Properties:
    metric = {
        "namespace": "Example",
        "metricName": "BusyPercent",
        "statistic": "Average",
        "dimensions": [{"name": "Workers", "value": "plan"}],
    }
    return {"targetValue": value, "scaleInCooldown": 300, "customizedMetricSpecification": metric}


EXAMPLES: Mapping[str, Example] = {
    "aws:cloudwatch/logGroup:LogGroup": Example(
        lambda w: {
            "name": "/ecs/example",
            "retentionInDays": 7,
            "kmsKeyId": w["key_arn"],
            "tags": {"Name": "logs"},
        },
        lambda _: {"retentionInDays": 30, "tags": {"Name": "other"}},
        lambda _: {"name": "/ecs/other"},
        ("arn",),
    ),
    "aws:sns/topic:Topic": Example(
        lambda w: {"name": "on-call", "kmsMasterKeyId": w["key_arn"], "tags": {"Name": "topic"}},
        lambda w: {"kmsMasterKeyId": w["other_key_arn"], "displayName": "On-call", "tags": {"Name": "other"}},
        lambda _: {"name": "other"},
        ("arn", "owner", "policy"),
    ),
    "aws:cloudwatch/dashboard:Dashboard": Example(
        lambda _: {"dashboardName": "example", "dashboardBody": _dashboard("MemoryUtilization")},
        lambda _: {"dashboardBody": _dashboard("CPUUtilization")},
        lambda _: {"dashboardName": "other"},
        ("dashboardArn",),
    ),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": Example(
        lambda w: {
            "name": "example",
            "destination": "extended_s3",
            "extendedS3Configuration": _destination(w),
            "serverSideEncryption": {"enabled": True, "keyType": "CUSTOMER_MANAGED_CMK", "keyArn": w["key_arn"]},
            "tags": {"Name": "stream"},
        },
        lambda w: {
            "extendedS3Configuration": {**_destination(w), "bufferingInterval": 60, "prefix": "other/"},
            "serverSideEncryption": {"enabled": True, "keyType": "AWS_OWNED_CMK"},
            "tags": {"Name": "other"},
        },
        lambda _: {"name": "other"},
        ("arn", "destinationId", "versionId"),
    ),
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter": Example(
        lambda w: {
            "name": "example",
            "logGroup": w["log_group"],
            "filterPattern": "",
            "destinationArn": w["delivery_stream"],
            "roleArn": w["role_arn"],
        },
        lambda _: {"filterPattern": "ERROR"},
        lambda _: {"name": "other"},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Example(
        lambda _: {
            "name": "example",
            "alarmDescription": "Example",
            "namespace": "AWS/ECS",
            "metricName": "MemoryUtilization",
            "dimensions": {"ClusterName": "example", "ServiceName": "example"},
            "statistic": "Maximum",
            "comparisonOperator": "GreaterThanThreshold",
            "threshold": 90,
            "period": 60,
            "evaluationPeriods": 3,
            "treatMissingData": "notBreaching",
            "alarmActions": [_TOPIC],
            "okActions": [_TOPIC],
            "tags": {"Name": "alarm"},
        },
        lambda _: {
            "alarmDescription": "Other",
            "dimensions": {"ClusterName": "other"},
            "threshold": 80.5,
            "datapointsToAlarm": 2,
            "treatMissingData": "breaching",
            "insufficientDataActions": [_TOPIC],
            "okActions": [],
            "actionsEnabled": False,
            "tags": {"Name": "other"},
        },
        lambda _: {"name": "other"},
        ("arn",),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Example(
        lambda w: {
            "name": "example",
            "logGroupName": w["log_group"],
            "pattern": '{ $.event = "run" }',
            "metricTransformation": {"name": "Runs", "namespace": "Example", "value": "1"},
        },
        lambda _: {
            "pattern": '{ $.event = "project" }',
            "metricTransformation": {
                "name": "Projects",
                "namespace": "Example",
                "value": "$.drifted",
                "dimensions": {"Repository": "$.repository"},
            },
        },
        lambda _: {"name": "other"},
    ),
    "aws:appautoscaling/target:Target": Example(
        lambda _: _range(resourceId="service/world/example", minCapacity=1, maxCapacity=3, tags={"Name": "range"}),
        lambda _: {"maxCapacity": 5, "tags": {"Name": "other"}},
        lambda _: {"resourceId": "service/world/other"},
        ("arn", "roleArn"),
    ),
    "aws:appautoscaling/policy:Policy": Example(
        lambda w: _range(
            name="example",
            resourceId=w["scaled"],
            policyType="TargetTrackingScaling",
            targetTrackingScalingPolicyConfiguration=_tracking(70),
        ),
        lambda _: {"targetTrackingScalingPolicyConfiguration": _tracking(50)},
        lambda _: {"name": "other"},
        ("arn", "alarmArns"),
    ),
}
