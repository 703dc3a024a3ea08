"""A row of the table of refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.testbed.local_aws.refusals.call import Call

__all__ = ["Condition", "Refusal", "reference"]

Condition = Callable[[Call], Any]
"""False or empty if AWS accepts the call, otherwise True, or the text that the message has as ``{found}``."""

_REFERENCES = {
    "acm": "acm/latest/APIReference",
    "application-autoscaling": "autoscaling/application/APIReference",
    "autoscaling": "autoscaling/ec2/APIReference",
    "backup": "aws-backup/latest/devguide",
    "cloudwatch": "AmazonCloudWatch/latest/APIReference",
    "dynamodb": "amazondynamodb/latest/APIReference",
    "ec2": "AWSEC2/latest/APIReference",
    "ecr": "AmazonECR/latest/APIReference",
    "ecs": "AmazonECS/latest/APIReference",
    "efs": "efs/latest/ug",
    "elasticache": "AmazonElastiCache/latest/APIReference",
    "elbv2": "elasticloadbalancing/latest/APIReference",
    "events": "eventbridge/latest/APIReference",
    "firehose": "firehose/latest/APIReference",
    "iam": "IAM/latest/APIReference",
    "kms": "kms/latest/APIReference",
    "lambda": "lambda/latest/api",
    "logs": "AmazonCloudWatchLogs/latest/APIReference",
    "rds": "AmazonRDS/latest/APIReference",
    "route53": "Route53/latest/APIReference",
    "s3": "AmazonS3/latest/API",
    "secretsmanager": "secretsmanager/latest/apireference",
    "sns": "sns/latest/api",
    "sqs": "AWSSimpleQueueService/latest/APIReference",
    "stepfunctions": "step-functions/latest/apireference",
    "sts": "STS/latest/APIReference",
    "wafv2": "waf/latest/APIReference",
}
"""The folder of a service's API reference."""


@dataclass(frozen=True)
class Refusal:
    """What AWS refuses, and how.

    Attributes:
        operation: the SDK's name of the service and the operation, such as ``ec2:CreateSubnet``; several are separated by spaces.
        code: the error code on the wire.
        message: AWS' message. ``{found}`` is what the condition found, other names are JMESPath expressions of parameters.
        condition: whether AWS refuses the call.
        source: where AWS documents it; empty for the errors in the API reference of the operation.
    """

    operation: str
    code: str
    message: str
    condition: Condition
    source: str = ""

    @property
    def operations(self) -> tuple[str, ...]:
        """Each operation with its service. Those after the first one are of the same service."""
        first, *others = self.operation.split()
        return first, *(f"{first.partition(':')[0]}:{other}" for other in others)

    def message_for(self, call: Call) -> str | None:
        """The message of the refusal; None if AWS accepts the call."""
        found = self.condition(call)
        return self.message.format_map(_Values(call, found)) if found else None


class _Values(dict[str, Any]):
    def __init__(self, call: Call, found: Any) -> None:
        super().__init__(found=found)
        self._call = call

    def __missing__(self, name: str) -> Any:
        return self._call[name]


def reference(refusal: Refusal) -> str:
    """The page of AWS that documents the refusal."""
    service, _, operation = refusal.operations[0].partition(":")
    return refusal.source or f"https://docs.aws.amazon.com/{_REFERENCES[service]}/API_{operation}.html"
