"""Base class of the EC2 and VPC resource types."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, Tagging, pairs
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties


class Ec2Resource(AwsResource):
    """A resource that is tagged at creation. Its description contains the tags."""

    service = "ec2"
    tagging: ClassVar = Tagging(
        "Resources", Call("describe_tags", "resource-id", "Tags"), "create_tags", "delete_tags", in_description=True
    )
    built: ClassVar = {"arn": "arn:{aws.partition}:ec2:{aws.region}:{aws.account}:{entry.kind}/{id}"}
    in_use: ClassVar = names("DependencyViolation ResourceInUse")
    kind: ClassVar[str]
    """Resource type in tag specifications and ARNs."""

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """The tag specification for the object that the call creates."""
        if not inputs.get("tags"):
            return {}
        return {"TagSpecifications": [{"ResourceType": self.kind, "Tags": pairs(inputs["tags"])}]}
