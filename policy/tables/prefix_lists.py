"""Prefix lists that AWS owns and that stacks name by ID."""

from typing import Final

# com.amazonaws.global.cloudfront.origin-facing has another ID in each Region: `aws ec2 describe-managed-prefix-lists`. Source
# of the list itself: "Locations and IP address ranges of CloudFront edge servers" in the Amazon CloudFront Developer Guide.
CLOUDFRONT_ORIGIN_FACING: Final[dict[str, str]] = {
    "pl-c0aa4fa9": "af-south-1",
    "pl-14b2577d": "ap-east-1",
    "pl-58a04531": "ap-northeast-1",
    "pl-22a6434b": "ap-northeast-2",
    "pl-31a14458": "ap-northeast-3",
    "pl-9aa247f3": "ap-south-1",
    "pl-31a34658": "ap-southeast-1",
    "pl-b8a742d1": "ap-southeast-2",
    "pl-38a64351": "ca-central-1",
    "pl-a3a144ca": "eu-central-1",
    "pl-fab65393": "eu-north-1",
    "pl-1bbc5972": "eu-south-1",
    "pl-4fa04526": "eu-west-1",
    "pl-93a247fa": "eu-west-2",
    "pl-75b1541c": "eu-west-3",
    "pl-17b2577e": "me-south-1",
    "pl-5da64334": "sa-east-1",
    "pl-3b927c52": "us-east-1",
    "pl-b6a144df": "us-east-2",
    "pl-4ea04527": "us-west-1",
    "pl-82a045eb": "us-west-2",
}
