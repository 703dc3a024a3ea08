"""What other scanners' rules report, as resources written anew: the pack agrees, or a row has the reason for the difference.

F and W: rules of cfn-nag; AVD: checks of Trivy, as their documentation numbers them.
"""

from typing import Any, Final

from tests.policy.rows import Row, allow, document, found, one, passes

__all__ = ["EXTERNAL"]

_PUBLIC: Final = document(allow(Action="sns:Publish", Resource="arn:aws:sns:eu-west-1:123456789012:t", Principal="*"))
_OWN: Final = document(
    allow(Action="sns:Publish", Resource="arn:aws:sns:eu-west-1:123456789012:t", Principal={"AWS": "123456789012"})
)
_WORLD: Final = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}]

AGREED: Final[tuple[tuple[str, str, str, dict[str, Any], dict[str, Any]], ...]] = (
    ("F1", "encryption-stack/at-rest", "ebs/volume", {}, {"encrypted": True}),
    ("F19", "encryption/key-rotation", "kms/key", {}, {"enableKeyRotation": True}),
    ("F25", "encryption/at-rest", "elasticache/replicationGroup", {}, {"atRestEncryptionEnabled": True}),
    ("F27", "encryption/at-rest", "rds/instance", {}, {"storageEncrypted": True}),
    ("F30", "encryption/at-rest", "neptune/cluster", {}, {"storageEncrypted": True}),
    ("F32 AVD-AWS-0037", "encryption/at-rest", "efs/fileSystem", {}, {"encrypted": True}),
    (
        "F33 AVD-AWS-0051",
        "encryption/cache-transit",
        "elasticache/replicationGroup",
        {},
        {"transitEncryptionEnabled": True},
    ),
    ("AVD-AWS-0064", "encryption/at-rest", "kinesis/stream", {}, {"encryptionType": "KMS", "kmsKeyId": "alias/a"}),
    (
        *("F29", "encryption/at-rest", "workspaces/workspace", {}),
        {"rootVolumeEncryptionEnabled": True, "userVolumeEncryptionEnabled": True},
    ),
    (
        "F22",
        "public-exposure/public-database",
        "rds/instance",
        {"publiclyAccessible": True},
        {"publiclyAccessible": False},
    ),
    ("F14", "public-exposure/public-bucket", "s3/bucketAcl", {"acl": "public-read-write"}, {"acl": "private"}),
    ("F18", "public-exposure/public-policy", "sns/topicPolicy", {"policy": _PUBLIC}, {"policy": _OWN}),
    ("W2", "cidr-restriction/ranges", "ec2/securityGroup", {"ingress": _WORLD}, {"ingress": []}),
)
"""The rule, the check, the type, and the properties of a resource with the fault and without it."""

DIFFERENT: Final = (
    passes(
        *("encryption/at-rest", "F28: Redshift encrypts new clusters by itself, since January 2025"),
        one("redshift/cluster", nodeType="ra3.large"),
    ),
    passes(
        *("cidr-restriction/ranges", "W9: a range isn't /32, and the organization allows it"),
        one("ec2/securityGroup", ingress=[{**_WORLD[0], "cidrBlocks": ["10.0.0.0/8"]}]),
    ),
    found(
        *("cidr-restriction/ranges", "W2 speaks of 0.0.0.0/0 only: half of the internet is outside of the ranges too"),
        one("ec2/securityGroup", ingress=[{**_WORLD[0], "cidrBlocks": ["128.0.0.0/1"]}]),
    ),
)

EXTERNAL: Final[tuple[Row, ...]] = (
    *(found(check, rule, one(kind, **bad)) for rule, check, kind, bad, _ in AGREED),
    *(passes(check, rule, one(kind, **good)) for rule, check, kind, _, good in AGREED),
    *DIFFERENT,
)
