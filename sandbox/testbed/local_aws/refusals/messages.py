"""What SNS, SQS and CloudWatch refuse."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem

__all__ = ["resource_policy_problem"]

_DAY, _WEEK = 86400, 604800


def attributes(call: Call) -> dict[str, Any]:
    """The attributes in a call that has several, or one by name and value."""
    named = {call["AttributeName"]: call["AttributeValue"]} if call["AttributeName"] else {}
    return {**(call["Attributes"] or {}), **named}


def topic_name(call: Call) -> bool:
    ordered = str(attributes(call).get("FifoTopic")).lower() == "true"
    name = str(call["Name"])
    return not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name.removesuffix(".fifo")) or ordered != name.endswith(".fifo")


def topic_differs(call: Call) -> bool:
    """Whether a topic of the name exists with another value of an attribute."""
    arn = f"arn:aws:sns:{call.region}:{call.account}:{call['Name']}"
    found = call.find("GetTopicAttributes", "Attributes", TopicArn=arn) or {}
    given = {name: value for name, value in attributes(call).items() if name in found}
    return any(_parsed(value) != _parsed(found[name]) for name, value in given.items())


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError):
        return value


def wrong_json(call: Call, *names: str) -> str | None:
    given = attributes(call)
    return next((name for name in names if given.get(name) and not isinstance(_parsed(given[name]), dict)), None)


def other_kind(call: Call) -> bool:
    """A dead-letter queue of the other kind: those of FIFO queues are FIFO queues."""
    policy = _parsed(attributes(call).get("RedrivePolicy"))
    target = str(policy.get("deadLetterTargetArn", "")) if isinstance(policy, dict) else ""
    name = str(call["QueueName"] or str(call["QueueUrl"]).rpartition("/")[2])
    return bool(target) and target.endswith(".fifo") != name.endswith(".fifo")


def wrong_period(call: Call) -> bool:
    period = call["Period"]
    return period is not None and period not in (10, 20, 30) and period % 60 != 0


def too_long(call: Call) -> bool:
    seconds = (call["Period"] or 0) * (call["EvaluationPeriods"] or 1)
    return seconds > (_WEEK if (call["Period"] or 0) >= 3600 else _DAY)
