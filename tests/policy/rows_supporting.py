"""Verdicts of supporting-resources."""

from typing import Final

from tests.policy.rows import Row, found, one, passes
from tests.policy.servicer import Planned


def _opening(group: str) -> Planned:
    return one("vpc/securityGroupIngressRule", "rule", securityGroupId=group, ipProtocol="tcp", cidrIpv4="10.1.0.0/16")


_VPC: Final = one("ec2/vpc", "vpc", id="vpc-1", defaultSecurityGroupId="sg-default")
_CLOSED: Final = one("ec2/defaultSecurityGroup", "closed", vpcId="vpc-1")
SUPPORTING_ROWS: Final[tuple[Row, ...]] = (
    found("supporting-resources/default-group", "nobody manages it", _VPC),
    passes("supporting-resources/default-group", "managed", _VPC, _CLOSED),
    found(
        *("supporting-resources/default-group", "managed for another VPC", _VPC),
        one("ec2/defaultSecurityGroup", "closed", vpcId="vpc-2"),
    ),
    found("supporting-resources/default-group", "filled by a rule", _VPC, _CLOSED, _opening("sg-default")),
    passes(
        "supporting-resources/default-group",
        "rule of another group",
        _VPC,
        _CLOSED,
        one("ec2/securityGroup", "group", id="sg-1"),
        _opening("sg-1"),
    ),
    found("supporting-resources/public-access-block", "bucket alone", one("s3/bucket", bucket="b")),
    passes(
        *("supporting-resources/public-access-block", "bucket and block", one("s3/bucket", bucket="b")),
        one("s3/bucketPublicAccessBlock", "block", bucket="b", blockPublicAcls=True),
    ),
    passes(
        *("supporting-resources/public-access-block", "block of the account", one("s3/bucket", bucket="b")),
        one("s3/accountPublicAccessBlock", "block", restrictPublicBuckets=True),
    ),
    found("supporting-resources/bucket-logs", "bucket alone", one("s3/bucket", bucket="b")),
    passes(
        *("supporting-resources/bucket-logs", "bucket and its logs", one("s3/bucket", bucket="b")),
        one("s3/bucketLogging", "logging", bucket="b", targetBucket="elsewhere"),
    ),
    passes("supporting-resources/bucket-logs", "not required", one("s3/bucket", bucket="b"), requireAccessLogs=False),
    found("supporting-resources/scan-on-push", "repository alone", one("ecr/repository", name="app")),
    *(
        (found if expected else passes)(
            *("supporting-resources/scan-on-push", f"registry with the filter {pattern}"),
            one("ecr/repository", name="team/app"),
            one(
                *("ecr/registryScanningConfiguration", "registry"),
                scanType="BASIC",
                rules=[
                    {
                        "scanFrequency": "SCAN_ON_PUSH",
                        "repositoryFilters": [{"filter": pattern, "filterType": "WILDCARD"}],
                    }
                ],
            ),
        )
        for pattern, expected in (("*", False), ("team/*", False), ("app", False), ("prod-*", True))
    ),
)
