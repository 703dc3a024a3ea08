"""Log groups, and what sends their events on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from sandbox.providers.aws.base import AwsResource, arn
from sandbox.providers.aws.calls import Call, Change, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_RETENTIONS = "0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"


class LogGroup(AwsResource):
    """A log group. 0 days keep its events for ever. Its ARN is without the `:*` that CloudWatch puts after it."""

    sdk_name = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    operation, named = "CreateLogGroup", "{name}"
    described: ClassVar = Call("describe_log_groups", "logGroupNamePrefix", "logGroups[?logGroupName=='{id}'] | [0]")
    deleted: ClassVar = Call("delete_log_group", "logGroupName")
    tagging: ClassVar = Tagging("resourceArn")
    listing: ClassVar = Listing("describe_log_groups", "logGroups[].logGroupName")
    name_limit = 512
    renamed: ClassVar = {"name": "logGroupName"}
    defaults: ClassVar = {"skipDestroy": False, "retentionInDays": 0}
    choices: ClassVar = {"retentionInDays": tuple(map(int, _RETENTIONS.split()))}
    write_only: ClassVar = names("skipDestroy")
    updates: ClassVar = (
        Change("put_retention_policy", names("retentionInDays"), undone="delete_retention_policy", new=True),
        Change("associate_kms_key", names("kmsKeyId"), undone="disassociate_kms_key", other=True),
    )
    shown: ClassVar = {"retentionInDays": "retentionInDays || `0`", "kmsKeyId": "kmsKeyId"}
    built: ClassVar = {"arn": arn("logs", "log-group:{id}")}

    def tag_target(self, identity: str) -> str:
        return self.backend.arn("logs", f"log-group:{identity}")

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """No retention is none to put."""
        super().update(identity, {**inputs, "retentionInDays": inputs.get("retentionInDays") or None}, changed)


class LogSubscriptionFilter(AwsResource):
    """What sends a log group's events on. CloudWatch makes a filter or changes the one of that name."""

    sdk_name = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    service = "logs"
    operation, named = "PutSubscriptionFilter", "cwlsf-{logGroup}-{name}"
    described: ClassVar = Call("describe_subscription_filters", path="subscriptionFilters[?filterName=='{name}'] | [0]")
    deleted: ClassVar = Call("delete_subscription_filter")
    renamed: ClassVar = {"name": "filterName", "logGroup": "logGroupName"}
    defaults: ClassVar = {"distribution": "ByLogStream"}
    in_place: ClassVar = names("filterPattern roleArn distribution")

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A stream can't be written to without a role."""
        destination = inputs.get("destinationArn")
        if not isinstance(destination, str):
            return
        if not re.match(r"arn:[\w-]+:(firehose|kinesis|lambda|logs):", destination):
            yield "destinationArn", f"{destination!r} is no ARN of a stream, a function or a destination"
        if ":firehose:" in destination and "roleArn" not in inputs:
            yield "roleArn", "missing: CloudWatch Logs writes to a delivery stream with a role"
