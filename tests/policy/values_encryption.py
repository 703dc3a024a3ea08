"""Values of the properties for the two encryption policies."""

import json
from typing import Any, Final

from tests.policy.rows import NOT_JSON, one, values, with_value
from tests.policy.servicer import UNKNOWN, Planned

KEY_ARN: Final = "arn:aws:kms:eu-west-1:123456789012:key/1"

TLS_ONLY: Final[dict[str, Any]] = {
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
}


def allow(**statement: Any) -> str:
    """A policy document with one Allow."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})


def _one(token: str, **properties: Any) -> tuple[Planned, ...]:
    return (Planned(token, "it", properties),)


def _listener(**properties: Any) -> tuple[Planned, ...]:
    return _one("aws:lb/listener:Listener", **properties)


_REDIRECT: Final = {"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}
_EFS_VOLUME: Final = {
    "name": "data",
    "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"},
}

ENCRYPTION_VALUES: Final = (
    values("encryption/at-rest", _one("aws:efs/fileSystem:FileSystem", encrypted=True), "encrypted", bad=False),
    values(
        "encryption/customer-key",
        _one("aws:ecr/repository:Repository", encryptionConfigurations=[{"encryptionType": "KMS", "kmsKey": KEY_ARN}]),
        "encryptionConfigurations[0].kmsKey",
        "alias/aws/ecr",
        unknown="nothing",
        configuration={"customerKeys": ["ecr"]},
    ),
    values("encryption/key-rotation", _one("aws:kms/key:Key", enableKeyRotation=True), "enableKeyRotation", bad=False),
    values(
        "encryption/listener-tls",
        _listener(protocol="HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        "sslPolicy",
        "ELBSecurityPolicy-TLS13-1-0-2021-06",
    ),
    values(
        "encryption/listener-tls",
        _one("aws:elb/loadBalancer:LoadBalancer", listeners=[{"lbProtocol": "https"}]),
        *("listeners[0].lbProtocol", "http"),
        absent="nothing",
        unknown="nothing",
        malformed="nothing",
    ),
    values(
        "encryption/volume-transit",
        _one("aws:ecs/taskDefinition:TaskDefinition", volumes=[_EFS_VOLUME]),
        *("volumes[0].efsVolumeConfiguration.transitEncryption", "DISABLED"),
    ),
    values(
        "encryption/cache-transit",
        _one("aws:elasticache/replicationGroup:ReplicationGroup", transitEncryptionEnabled=True),
        "transitEncryptionEnabled",
        bad=False,
    ),
    values(
        "encryption/plain-transport",
        _one("aws:s3/bucketPolicy:BucketPolicy", policy=json.dumps(TLS_ONLY)),
        *("policy", allow(Principal={"AWS": "123456789012"}, Action="*")),
        absent="nothing",
        malformed="undecided",
        malformed_value=NOT_JSON,
    ),
)


def _keyed(**key: Any) -> tuple[Planned, ...]:
    return (
        Planned("aws:kms/key:Key", "key", {"arn": KEY_ARN, "customerMasterKeySpec": "SYMMETRIC_DEFAULT", **key}),
        Planned("aws:kms/alias:Alias", "alias", {"name": "alias/a", "targetKeyId": UNKNOWN}, {"targetKeyId": ("key",)}),
        Planned("aws:secretsmanager/secret:Secret", "direct", {"kmsKeyId": UNKNOWN}, {"kmsKeyId": ("key",)}),
        Planned("aws:cloudwatch/logGroup:LogGroup", "by-alias", {"kmsKeyId": "alias/a"}),
    )


_BUCKET: Final = (
    Planned("aws:s3/bucket:Bucket", "bucket", {"bucket": "b"}),
    Planned("aws:s3/bucketPolicy:BucketPolicy", "policy", {"bucket": "b", "policy": json.dumps(TLS_ONLY)}),
    Planned(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "sse",
        {
            "bucket": UNKNOWN,
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY_ARN}}],
        },
        {"bucket": ("bucket",)},
    ),
)
_INTERNAL: Final = (
    *_listener(loadBalancerArn="arn:lb", protocol="HTTP", port=80, defaultActions=[_REDIRECT]),
    Planned("aws:lb/loadBalancer:LoadBalancer", "balancer", {"arn": "arn:lb", "internal": True}),
)

ENCRYPTION_STACK_VALUES: Final = (
    values(
        "encryption-stack/at-rest",
        _one("aws:ecs/service:Service", volumeConfiguration={"managedEbsVolume": {"encrypted": True}}),
        "volumeConfiguration.managedEbsVolume.encrypted",
        bad=False,
    ),
    values(
        "encryption-advice/internal-tls",
        *(_INTERNAL, "defaultActions[0].redirect.protocol", "HTTP"),
        unknown="violation",
    ),
    *(
        values(
            *("encryption-advice/service-key", (one(kind, **with_value(other, path, KEY_ARN)),), path, ""),
            unknown="nothing",
        )
        for kind, other, path in (
            ("athena/database", {}, "encryptionConfiguration.kmsKey"),
            ("athena/workgroup", {}, "configuration.resultConfiguration.encryptionConfiguration.kmsKeyArn"),
            ("cloudtrail/trail", {}, "kmsKeyId"),
            ("eks/cluster", {}, "encryptionConfig.provider.keyArn"),
            ("rds/cluster", {"engine": "aurora-mysql"}, "kmsKeyId"),
            ("sns/topic", {}, "kmsMasterKeyId"),
            *(
                ("glue/securityConfiguration", {"encryptionConfiguration": {other: {"kmsKeyArn": KEY_ARN}}}, path)
                for path, other in (
                    ("encryptionConfiguration.s3Encryption.kmsKeyArn", "cloudwatchEncryption"),
                    ("encryptionConfiguration.cloudwatchEncryption.kmsKeyArn", "s3Encryption"),
                )
            ),
        )
    ),
    *(
        values(
            "encryption-stack/key-resolved",
            _keyed(isEnabled=True),
            path,
            bad,
            target="key",
            reported=reported,
            absent="nothing",
            unknown="nothing",
            malformed="nothing" if path == "isEnabled" else "violation",
        )
        for path, bad in (("isEnabled", False), ("customerMasterKeySpec", "RSA_2048"))
        for reported in ("direct", "by-alias")
    ),
    values(
        "encryption-stack/bucket-key",
        _BUCKET,
        "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId",
        "alias/aws/s3",
        target="sse",
        reported="bucket",
        unknown="nothing",
        configuration={"bucketCustomerKeys": True},
    ),
)
