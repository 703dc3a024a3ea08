"""Topics."""

from __future__ import annotations

from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.values import Properties


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
