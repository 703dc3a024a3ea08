"""Parts of the messages that several cases have, and what a case is."""

from typing import Any

from tests.unit.recording import EXISTING_VPC

Case = tuple[dict[str, Any], tuple[str, ...]]
"""What is changed, and the parts that the message has to have: key, value, what is accepted."""

CIDR = "must be a range in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32"
INTERNET = (
    "opens the server to the internet; list the ranges of the office and the VPN, or set allowPublicAccess to true"
)
CERTIFICATE = "must be an ARN such as arn:aws:acm:ap-northeast-2:123456789012:certificate/<uuid>"
UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
URL = "must be https:// and a host name, such as https://atlantis.example.com, without port or path"
HOST = "must be a host name such as github.com, without scheme, port or path"
ENVIRONMENT = "must be 1 to 14 lowercase letters, digits and inner hyphens, starting with a letter"
VPC_ID = "must be a VPC ID such as vpc-0a1b2c3d4e5f60718"
SUBNET_ID = "must be a subnet ID such as subnet-0a1b2c3d4e5f60718"
IMAGE = "must be registry/repository with a tag or a digest, such as ghcr.io/runatlantis/atlantis:v0.47.1"
BUCKET = "must be the name of an S3 bucket: 3 to 63 lowercase letters, digits, . and -"
STATE_KEY = "must be an ARN such as arn:aws:kms:ap-northeast-2:123456789012:key/<uuid>"
WEB_ACL = "must be an ARN such as arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/<name>/<uuid>"
TOPIC = "must be an ARN such as arn:aws:sns:ap-northeast-2:123456789012:alarms (a standard topic)"
TABLE = "must be the name of a DynamoDB table: 3 to 255 letters, digits and _.-"
PREFIX = "must be a prefix of names: 3 to 40 characters, without *, ending with a hyphen"
BOUNDARY = "must be an ARN such as arn:aws:iam::123456789012:policy/boundary"
TAG = "must be a tag value: 1 to 256 letters, digits, spaces and .:/=+@-_"


def vpc(**changes: Any) -> dict[str, Any]:
    return EXISTING_VPC | changes
