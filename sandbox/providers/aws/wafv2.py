"""Web ACLs in front of load balancers."""

from __future__ import annotations

from typing import ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.listing import Listing, argument
from sandbox.providers.values import Properties


class WebAclAssociation(AwsResource):
    """A web ACL in front of one resource."""

    sdk_name = "aws:wafv2/webAclAssociation:WebAclAssociation"
    service = "wafv2"
    operation = "AssociateWebACL"
    listing: ClassVar = Listing(
        "list_resources_for_web_acl",
        "ResourceArns[]",
        "aws:wafv2/webAcl:WebAcl",
        argument("WebACLArn"),
        name=lambda web_acl, resource: f"{web_acl},{resource}",
    )
    delete_first: ClassVar = True

    named = "{webAclArn},{resourceArn}"

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """A resource has one web ACL at most: another one in its place is another association."""
        web_acl, resource = identity.split(",")
        found = self.client.get_web_acl_for_resource(ResourceArn=resource).get("WebACL", {})
        return {"webAclArn": web_acl, "resourceArn": resource} if found.get("ARN") == web_acl else None

    def remove(self, identity: str, state: Properties) -> None:
        self.client.disassociate_web_acl(ResourceArn=identity.split(",")[1])
