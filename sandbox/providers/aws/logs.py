"""Log groups, and what sends their events on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_RETENTIONS = sorted(
    map(
        int,
        names("0 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"),
    )
)


class LogGroup(AwsResource):
    """A log group. 0 days keep its events for ever."""

    sdk_name = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    operation, named = "CreateLogGroup", "{name}"
    tagging: ClassVar = Tagging("resourceArn")
    deleted: ClassVar = Call("delete_log_group", "logGroupName")
    listing: ClassVar = Listing("describe_log_groups", "logGroups[].logGroupName")
    name_limit = 512
    renamed: ClassVar = {"name": "logGroupName"}
    defaults: ClassVar = {"skipDestroy": False, "retentionInDays": 0}
    handled: ClassVar = frozenset({"retentionInDays"})
    write_only: ClassVar = frozenset({"skipDestroy"})
    in_place: ClassVar = frozenset({"retentionInDays", "kmsKeyId", "skipDestroy"})
    computed: ClassVar = frozenset({"logGroupClass", "deletionProtectionEnabled"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days not in _RETENTIONS:
            yield "retentionInDays", f"{days} is not one of {', '.join(map(str, _RETENTIONS))}"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        named = {"logGroupName": identity}
        if "retentionInDays" in changed:
            if inputs.get("retentionInDays"):
                self.client.put_retention_policy(**named, retentionInDays=inputs["retentionInDays"])
            else:
                self.client.delete_retention_policy(**named)
        if "kmsKeyId" in changed and (self._group(identity) or {}).get("kmsKeyId") != inputs.get("kmsKeyId"):
            if inputs.get("kmsKeyId"):
                self.client.associate_kms_key(**named, kmsKeyId=inputs["kmsKeyId"])
            else:
                self.client.disassociate_kms_key(**named)

    def tag_target(self, identity: str) -> str:
        return self.backend.arn("logs", f"log-group:{identity}")

    def _group(self, name: str) -> Mapping[str, Any] | None:
        groups = self.client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((group for group in groups if group["logGroupName"] == name), None)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The ARN is without the `:*` that CloudWatch puts after it."""
        group = self._group(identity)
        if group is None:
            return None
        found = self.properties(group)
        found["retentionInDays"] = group.get("retentionInDays", 0)
        found.setdefault("kmsKeyId", None)
        return {**found, "arn": self.tag_target(identity), "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """With its events, unless the program keeps them."""
        if not state.get("skipDestroy"):
            super().remove(identity, state)


class LogSubscriptionFilter(AwsResource):
    """What sends a log group's events on. CloudWatch makes a filter or changes the one of that name."""

    sdk_name = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
    service = "logs"
    operation, named = "PutSubscriptionFilter", "cwlsf-{logGroup}-{name}"
    renamed: ClassVar = {"name": "filterName", "logGroup": "logGroupName"}
    defaults: ClassVar = {"distribution": "ByLogStream"}
    in_place: ClassVar = names("filterPattern roleArn distribution")
    computed: ClassVar = frozenset({"roleArn"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A stream can't be written to without a role."""
        destination = inputs.get("destinationArn")
        if not isinstance(destination, str):
            return
        if not re.match(r"arn:[\w-]+:(firehose|kinesis|lambda|logs):", destination):
            yield "destinationArn", f"{destination!r} is no ARN of a stream, a function or a destination"
        if ":firehose:" in destination and "roleArn" not in inputs:
            yield "roleArn", "missing: CloudWatch Logs writes to a delivery stream with a role"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Among those of its log group."""
        found = self.client.describe_subscription_filters(
            logGroupName=state["logGroup"], filterNamePrefix=state["name"]
        )["subscriptionFilters"]
        mine = next((item for item in found if item["filterName"] == state["name"]), None)
        return None if mine is None else self.properties(mine)

    def remove(self, identity: str, state: Properties) -> None:
        """The log group stays."""
        self.client.delete_subscription_filter(logGroupName=state["logGroup"], filterName=state["name"])
