"""Alarm notifications: the topics exist, CloudWatch can publish to them, and they have subscribers."""

import json
from collections.abc import Sequence
from typing import Any

from components.settings.schema import known_items
from preflight.aws import listed
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

AWS_KEY = "alias/aws/sns"
PUBLISHER = "cloudwatch.amazonaws.com"


def topics(deployment: Deployment) -> str:
    """Every topic exists."""
    for arn in _arns(deployment):
        if _attributes(deployment, arn) is None:
            raise FailedError(f"no topic {arn}: its alarms would notify nobody", "create it, or correct alarmTopicArns")
    return ", ".join(_arns(deployment))


def keys(deployment: Deployment) -> str:
    """CloudWatch is allowed to use the KMS key of every encrypted topic."""
    encrypted = 0
    for arn in _arns(deployment):
        key = (_attributes(deployment, arn) or {}).get("KmsMasterKeyId")
        if not key:
            continue
        encrypted += 1
        remedy = f"encrypt the topic with a customer managed key whose policy allows {PUBLISHER} use kms:Decrypt and kms:GenerateDataKey*"
        if key == AWS_KEY:
            raise FailedError(f"{arn} is encrypted with {AWS_KEY}, which CloudWatch may not use", remedy)
        identity = deployment.aws.read("kms", "describe_key", KeyId=key)["KeyMetadata"]["KeyId"]
        policy = json.loads(
            deployment.aws.read("kms", "get_key_policy", KeyId=identity, PolicyName="default")["Policy"]
        )
        if not any(_admits_publisher(statement) for statement in listed(policy.get("Statement"))):
            raise FailedError(f"{arn} is encrypted with {key}, whose policy does not name {PUBLISHER}", remedy)
    return "CloudWatch may use them" if encrypted else "none is encrypted"


def subscriptions(deployment: Deployment) -> str:
    """Every topic has a confirmed subscription."""
    counts = []
    for arn in _arns(deployment):
        confirmed = int((_attributes(deployment, arn) or {}).get("SubscriptionsConfirmed", 0))
        if not confirmed:
            raise WarnedError(
                f"nobody has subscribed to {arn}: its alarms would notify nobody",
                f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint on-call@example.com",
            )
        counts.append(confirmed)
    return f"{sum(counts)} confirmed"


CHECKS = (
    Check("alarms", "topics exist", topics),
    Check("alarms", "topics' keys", keys, needs=(topics,)),
    Check("alarms", "subscriptions", subscriptions, needs=(topics,)),
)


def _arns(deployment: Deployment) -> Sequence[str]:
    arns = known_items(deployment.settings.operations.alarm_topic_arns)
    if not arns:
        raise NotCheckedError("alarmTopicArns is empty: the stack creates no alarms")
    return arns


def _attributes(deployment: Deployment, arn: str) -> dict[str, str] | None:
    found = deployment.aws.find("sns", "get_topic_attributes", TopicArn=arn)
    return found["Attributes"] if found else None


def _admits_publisher(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = listed(principal.get("Service")) if isinstance(principal, dict) else listed(principal)
    return statement.get("Effect") == "Allow" and bool({PUBLISHER, "*"} & set(services))
