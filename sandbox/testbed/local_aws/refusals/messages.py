"""What SNS, SQS and CloudWatch refuse."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem
from sandbox.testbed.local_aws.refusals.row import Refusal

__all__ = ["MESSAGES"]

_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html"
_ENDPOINTS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "email-json": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "http": r"http://.+",
    "https": r"https://.+",
    "sqs": r"arn:[^:]+:sqs:.+",
    "lambda": r"arn:[^:]+:lambda:.+",
    "firehose": r"arn:[^:]+:firehose:.+",
    "application": r"arn:[^:]+:sns:.+",
    "sms": r"\+?[\d\s.()-]+",
}
"""The form of an endpoint by the subscription's protocol."""
_TOPIC_ATTRIBUTES = re.compile(
    r"DeliveryPolicy|DisplayName|Policy|TracingConfig|KmsMasterKeyId|SignatureVersion|ArchivePolicy|ContentBasedDeduplication|"
    r"FifoThroughputScope|FifoTopic|DataProtectionPolicy|(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)"
)
_QUEUE_ATTRIBUTES = frozenset(
    {
        *("DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "Policy", "ReceiveMessageWaitTimeSeconds"),
        *("VisibilityTimeout", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"),
        *(
            "SqsManagedSseEnabled",
            "FifoQueue",
            "ContentBasedDeduplication",
            "DeduplicationScope",
            "FifoThroughputLimit",
        ),
    }
)
_DAY, _WEEK = 86400, 604800


def _attributes(call: Call) -> dict[str, Any]:
    """The attributes in a call that has several, or one by name and value."""
    named = {call["AttributeName"]: call["AttributeValue"]} if call["AttributeName"] else {}
    return {**(call["Attributes"] or {}), **named}


def _topic_name(call: Call) -> bool:
    ordered = str(_attributes(call).get("FifoTopic")).lower() == "true"
    name = str(call["Name"])
    return not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name.removesuffix(".fifo")) or ordered != name.endswith(".fifo")


def _topic_differs(call: Call) -> bool:
    """Whether a topic of the name exists with another value of an attribute."""
    arn = f"arn:aws:sns:{call.region}:{call.account}:{call['Name']}"
    found = call.find("GetTopicAttributes", "Attributes", TopicArn=arn) or {}
    given = {name: value for name, value in _attributes(call).items() if name in found}
    return any(_parsed(value) != _parsed(found[name]) for name, value in given.items())


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def _wrong_policy(call: Call) -> str | None:
    document = _attributes(call).get("Policy")
    return resource_policy_problem(call, document) if document else None


def _wrong_endpoint(call: Call) -> bool:
    pattern = _ENDPOINTS.get(str(call["Protocol"]))
    return pattern is not None and bool(call["Endpoint"]) and not re.fullmatch(pattern, call["Endpoint"])


def _wrong_json(call: Call, *names: str) -> str | None:
    given = _attributes(call)
    return next((name for name in names if given.get(name) and not isinstance(_parsed(given[name]), dict)), None)


def _queue_name(call: Call) -> bool:
    name = str(call["QueueName"])
    return len(name) > 80 or not re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", name)


def _other_kind(call: Call) -> bool:
    """A dead-letter queue of the other kind: those of FIFO queues are FIFO queues."""
    policy = _parsed(_attributes(call).get("RedrivePolicy"))
    target = str(policy.get("deadLetterTargetArn", "")) if isinstance(policy, dict) else ""
    name = str(call["QueueName"] or str(call["QueueUrl"]).rpartition("/")[2])
    return bool(target) and target.endswith(".fifo") != name.endswith(".fifo")


def _wrong_period(call: Call) -> bool:
    period = call["Period"]
    return period is not None and period not in (10, 20, 30) and period % 60 != 0


def _too_long(call: Call) -> bool:
    seconds = (call["Period"] or 0) * (call["EvaluationPeriods"] or 1)
    return seconds > (_WEEK if (call["Period"] or 0) >= 3600 else _DAY)


def _wrong_action(call: Call) -> str | None:
    actions = [*call.each("AlarmActions"), *call.each("OKActions"), *call.each("InsufficientDataActions")]
    return next((action for action in actions if not re.fullmatch(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", action)), None)


def _too_many_actions(call: Call) -> bool:
    return any(len(call.each(name)) > 5 for name in ("AlarmActions", "OKActions", "InsufficientDataActions"))


def _returned(call: Call) -> bool:
    returned = [item for item in call.each("Metrics") if item.get("ReturnData") is not False]
    return bool(call["Metrics"]) and len(returned) != 1


def _wrong_dashboard(call: Call) -> bool:
    body = _parsed(call["DashboardBody"])
    return not isinstance(body, dict) or not isinstance(body.get("widgets", []), list)


MESSAGES: Final = (
    Refusal("sns:CreateTopic", "InvalidParameter", "Invalid parameter: Topic Name", _topic_name),
    Refusal(
        "sns:CreateTopic SetTopicAttributes",
        "InvalidParameter",
        "Invalid parameter: AttributeName: {found}",
        lambda c: next((name for name in _attributes(c) if not _TOPIC_ATTRIBUTES.fullmatch(name)), None),
    ),
    Refusal(
        "sns:CreateTopic SetTopicAttributes",
        "InvalidParameter",
        "Invalid parameter: Policy Error: {found}",
        _wrong_policy,
    ),
    Refusal(
        "sns:CreateTopic",
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
        _topic_differs,
    ),
    Refusal(
        "sns:Subscribe",
        "InvalidParameter",
        "Invalid parameter: Amazon SNS does not support this protocol string: {Protocol}",
        lambda c: c["Protocol"] not in _ENDPOINTS,
    ),
    Refusal(
        "sns:Subscribe", "InvalidParameter", "Invalid parameter: Endpoint of the protocol {Protocol}", _wrong_endpoint
    ),
    Refusal(
        "sns:Subscribe SetSubscriptionAttributes",
        "InvalidParameter",
        "Invalid parameter: {found}: failed to parse JSON",
        lambda c: _wrong_json(c, "FilterPolicy", "RedrivePolicy", "DeliveryPolicy"),
    ),
    Refusal(
        "sqs:CreateQueue",
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        _queue_name,
    ),
    Refusal(
        "sqs:CreateQueue SetQueueAttributes",
        "InvalidAttributeName",
        "Unknown Attribute {found}.",
        lambda c: next((name for name in _attributes(c) if name not in _QUEUE_ATTRIBUTES), None),
    ),
    Refusal(
        "sqs:CreateQueue SetQueueAttributes",
        "InvalidAttributeValue",
        "Invalid value for the parameter Policy. Reason: {found}",
        _wrong_policy,
    ),
    Refusal(
        "sqs:CreateQueue SetQueueAttributes",
        "InvalidParameterValue",
        "Value for parameter RedrivePolicy is invalid. Reason: Dead-letter queue must be same type of queue as the source.",
        _other_kind,
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm", "ValidationError", "Period must be 10, 20, 30 or a multiple of 60", _wrong_period
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm",
        "ValidationError",
        "EvaluationPeriods * Period must be at most a day, or a week with periods of an hour or longer",
        _too_long,
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm",
        "ValidationError",
        "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        lambda c: (c["DatapointsToAlarm"] or 0) > (c["EvaluationPeriods"] or 0),
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm PutCompositeAlarm", "ValidationError", "Invalid arn syntax: {found}", _wrong_action
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm PutCompositeAlarm",
        "ValidationError",
        "An alarm has at most five actions of a kind",
        _too_many_actions,
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm",
        "ValidationError",
        "One of Statistic or ExtendedStatistic must be specified",
        lambda c: c["MetricName"] and not (c["Statistic"] or c["ExtendedStatistic"]),
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm",
        "ValidationError",
        "Invalid value for TreatMissingData: {TreatMissingData}",
        lambda c: c["TreatMissingData"] not in (None, "breaching", "notBreaching", "ignore", "missing"),
        _ALARMS,
    ),
    Refusal(
        "cloudwatch:PutMetricAlarm",
        "ValidationError",
        "Exactly one element of the metrics list should return data.",
        _returned,
    ),
    Refusal(
        "cloudwatch:PutDashboard",
        "InvalidParameterInput",
        "The field DashboardBody must be a valid JSON object",
        _wrong_dashboard,
    ),
)
