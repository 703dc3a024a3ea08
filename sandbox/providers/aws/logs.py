"""Log groups."""

from __future__ import annotations

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
