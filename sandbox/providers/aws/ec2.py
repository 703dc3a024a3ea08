"""What the entries of EC2 and VPC share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, pairs, rename_tags
from sandbox.providers.aws.session import error_code
from sandbox.providers.values import Properties


class Ec2Resource(AwsResource):
    """A resource that is tagged when it is made and described by its id."""

    service = "ec2"
    kind: ClassVar[str]
    """Resource type in tag specifications and ARNs."""

    def tag_specifications(self, inputs: Properties) -> dict[str, Any]:
        """The parameter that tags the object as it is made."""
        if not inputs.get("tags"):
            return {}
        return {"TagSpecifications": [{"ResourceType": self.kind, "Tags": pairs(inputs["tags"])}]}

    def retag(self, identity: str, inputs: Properties) -> None:
        """Set the object's tags to those of the inputs."""
        answer = self.client.describe_tags(Filters=[{"Name": "resource-id", "Values": [identity]}])
        added, removed = rename_tags(mapped(answer["Tags"]), inputs.get("tags") or {})
        if added:
            self.client.create_tags(Resources=[identity], Tags=pairs(added))
        if removed:
            self.client.delete_tags(Resources=[identity], Tags=[{"Key": key} for key in removed])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Tags; entries add what they have."""
        if "tags" in changed:
            self.retag(identity, inputs)

    def common(self, answer: Mapping[str, Any], identity: str, *names: str) -> Properties:
        """Properties of a description, with the ARN and the tags."""
        return {
            **self.properties(answer, *names),
            "arn": self.backend.arn("ec2", f"{self.kind}/{identity}"),
            "tags": mapped(answer.get("Tags")),
        }

    def when_unused(self, call: Callable[[], Any]) -> None:
        """Delete what may still be in use for a moment by something that is being deleted."""

        def attempt() -> bool:
            try:
                call()
            except Exception as error:
                if error_code(error) in ("DependencyViolation", "ResourceInUse"):
                    return False
                raise
            return True

        self.backend.wait("deletion of what is still in use", attempt)
