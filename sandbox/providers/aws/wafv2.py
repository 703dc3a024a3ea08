"""Web ACLs in front of load balancers."""

from __future__ import annotations

from typing import ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.listing import Listing


class WebAclAssociation(AwsResource):
    """A web ACL in front of one resource, which has one at most: another one in its place is another association."""

    sdk_name = "aws:wafv2/webAclAssociation:WebAclAssociation"
    service = "wafv2"
    operation, named = "AssociateWebACL", "{webAclArn},{resourceArn}"
    described: ClassVar = Call("get_web_acl_for_resource", path="WebACL.ARN == '{webAclArn}' && WebACL")
    deleted: ClassVar = Call("disassociate_web_acl")
    listing: ClassVar = Listing(
        "list_resources_for_web_acl",
        "ResourceArns[]",
        "aws:wafv2/webAcl:WebAcl",
        "WebACLArn",
        name=lambda web_acl, resource: f"{web_acl},{resource}",
    )
    delete_first = True
