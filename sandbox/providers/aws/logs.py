"""Log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, rename_tags
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_RETENTIONS = (
    0,
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)


class LogGroup(AwsResource):
    """A log group. 0 days keep its events for ever."""

    sdk_name = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    operation = "CreateLogGroup"
    listing: ClassVar = Listing("describe_log_groups", "logGroups[].logGroupName")
    name_limit = 512
    renamed: ClassVar = {"name": "logGroupName"}
    defaults: ClassVar = {"skipDestroy": False, "retentionInDays": 0}
    handled: ClassVar = frozenset({"retentionInDays"})
    write_only: ClassVar = frozenset({"skipDestroy"})
    in_place: ClassVar = frozenset({"retentionInDays", "kmsKeyId", "skipDestroy"})
    computed: ClassVar = frozenset({"logGroupClass", "deletionProtectionEnabled"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """CloudWatch knows a few periods only."""
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days not in _RETENTIONS:
            yield "retentionInDays", f"{days} is not one of {', '.join(map(str, _RETENTIONS))}"

    def create(self, inputs: Properties) -> Created:
        """The id is the name."""
        tags = {"tags": inputs["tags"]} if inputs.get("tags") else {}
        self.client.create_log_group(**self.request(inputs), **tags)
        return Created(inputs["name"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Each has a call of its own."""
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
        if "tags" in changed:
            arn = self._arn(identity)
            added, removed = rename_tags(self._tags(arn), inputs.get("tags") or {})
            if added:
                self.client.tag_resource(resourceArn=arn, tags=added)
            if removed:
                self.client.untag_resource(resourceArn=arn, tagKeys=removed)

    def _arn(self, name: str) -> str:
        return self.backend.arn("logs", f"log-group:{name}")

    def _tags(self, arn: str) -> dict[str, str]:
        return self.client.list_tags_for_resource(resourceArn=arn)["tags"]

    def _group(self, name: str) -> Mapping[str, Any] | None:
        groups = self.client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return next((group for group in groups if group["logGroupName"] == name), None)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The ARN is without the `:*` that CloudWatch puts after it."""
        del state
        group = self._group(identity)
        if group is None:
            return None
        found = self.properties(group)
        found["retentionInDays"] = group.get("retentionInDays", 0)
        found.setdefault("kmsKeyId", None)
        return {**found, "arn": self._arn(identity), "tags": self._tags(self._arn(identity))}

    def remove(self, identity: str, state: Properties) -> None:
        """With its events, unless the program keeps them."""
        if not state.get("skipDestroy"):
            self.client.delete_log_group(logGroupName=identity)
