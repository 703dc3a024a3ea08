"""Base class of the EC2 and VPC resource types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource, arn
from sandbox.testbed.providers.aws.calls import Tagging, mapped, pairs
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties


class _Ec2Tagging(Tagging):
    """EC2 lists tags with DescribeTags and a filter for the resource id."""

    def current(self, client: Any, target: str) -> dict[str, str]:
        return mapped(client.describe_tags(Filters=[{"Name": "resource-id", "Values": [target]}])["Tags"])


class Ec2Resource(AwsResource):
    """A resource that is tagged at creation. Its description contains the tags."""

    service = "ec2"
    tagging: ClassVar = _Ec2Tagging("Resources", tag="create_tags", untag="delete_tags")
    built: ClassVar = {"arn": arn("ec2", "{entry.kind}/{id}")}
    in_use: ClassVar = names("DependencyViolation ResourceInUse")
    kind: ClassVar[str]
    """Resource type in tag specifications and ARNs."""

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """The tag specification for the object that the call creates."""
        if not inputs.get("tags"):
            return {}
        return {"TagSpecifications": [{"ResourceType": self.kind, "Tags": pairs(inputs["tags"])}]}

    def tags_in(self, identity: str, answer: Mapping[str, Any]) -> dict[str, str]:
        return mapped(answer.get("Tags"))
