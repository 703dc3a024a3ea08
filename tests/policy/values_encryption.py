"""Cases of the two encryption policies."""

import json
from typing import Any, Final

from tests.policy.rows import NOT_JSON, values
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


EFS_TLS_ONLY: Final = {"Statement": [{**TLS_ONLY["Statement"][0], "Action": "*"}]}


def allow(**statement: Any) -> str:
    """A policy document with one Allow."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})


def _one(token: str, **properties: Any) -> tuple[Planned, ...]:
    return (Planned(token, "it", properties),)


_STORES: Final = (
    ("aws:efs/fileSystem:FileSystem", "encrypted"),
    ("aws:rds/instance:Instance", "storageEncrypted"),
    ("aws:rds/cluster:Cluster", "storageEncrypted"),
    ("aws:docdb/cluster:Cluster", "storageEncrypted"),
    ("aws:neptune/cluster:Cluster", "storageEncrypted"),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "atRestEncryptionEnabled"),
)
_KEYS: Final = (
    ("efs", "aws:efs/fileSystem:FileSystem", "kmsKeyId"),
    ("secrets", "aws:secretsmanager/secret:Secret", "kmsKeyId"),
    ("logs", "aws:cloudwatch/logGroup:LogGroup", "kmsKeyId"),
    ("sns", "aws:sns/topic:Topic", "kmsMasterKeyId"),
    ("sqs", "aws:sqs/queue:Queue", "kmsMasterKeyId"),
    ("dynamodb", "aws:dynamodb/table:Table", "serverSideEncryption.kmsKeyArn"),
    ("rds", "aws:rds/instance:Instance", "kmsKeyId"),
    ("elasticache", "aws:elasticache/replicationGroup:ReplicationGroup", "kmsKeyId"),
    ("ecr", "aws:ecr/repository:Repository", "encryptionConfigurations[0].kmsKey"),
)


def _with_key(path: str) -> dict[str, Any]:
    if path.startswith("encryptionConfigurations"):
        return {"encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY_ARN}]}
    name, _, inner = path.partition(".")
    return {name: {inner: KEY_ARN} if inner else KEY_ARN}


def _listener(**properties: Any) -> tuple[Planned, ...]:
    return _one("aws:lb/listener:Listener", **properties)


_REDIRECT: Final = {"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}
_EFS_VOLUME: Final = {
    "name": "data",
    "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"},
}

ENCRYPTION_VALUES: Final = (
    *(values("encryption", "at-rest", _one(token, **{path: True}), path, bad=False) for token, path in _STORES),
    *(
        values(
            "encryption",
            "customer-key",
            _one(token, **_with_key(path)),
            path,
            bad="alias/aws/" + store,
            unknown="nothing",
            configuration={"customerKeys": [store]},
        )
        for store, token, path in _KEYS
    ),
    values(
        "encryption",
        "at-rest",
        _one("aws:sqs/queue:Queue", sqsManagedSseEnabled=True),
        "sqsManagedSseEnabled",
        bad=False,
        absent="nothing",
    ),
    values(
        "encryption", "key-rotation", _one("aws:kms/key:Key", enableKeyRotation=True), "enableKeyRotation", bad=False
    ),
    values(
        "encryption",
        "listener-tls",
        _listener(protocol="HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"),
        "sslPolicy",
        "ELBSecurityPolicy-TLS13-1-0-2021-06",
    ),
    values(
        "encryption",
        "listener-tls",
        _one("aws:elb/loadBalancer:LoadBalancer", listeners=[{"lbProtocol": "https"}]),
        "listeners[0].lbProtocol",
        "http",
        absent="nothing",
        unknown="nothing",
        malformed="nothing",
    ),
    values(
        "encryption",
        "volume-transit",
        _one("aws:ecs/taskDefinition:TaskDefinition", volumes=[_EFS_VOLUME]),
        "volumes[0].efsVolumeConfiguration.transitEncryption",
        "DISABLED",
    ),
    values(
        "encryption",
        "cache-transit",
        _one("aws:elasticache/replicationGroup:ReplicationGroup", transitEncryptionEnabled=True),
        "transitEncryptionEnabled",
        bad=False,
    ),
    *(
        values(
            "encryption",
            "plain-transport",
            _one(token, policy=json.dumps(document)),
            "policy",
            allow(Principal={"AWS": "123456789012"}, Action="*"),
            absent="nothing",
            malformed="undecided",
            malformed_value=NOT_JSON,
        )
        for token, document in (
            ("aws:s3/bucketPolicy:BucketPolicy", TLS_ONLY),
            ("aws:efs/fileSystemPolicy:FileSystemPolicy", EFS_TLS_ONLY),
        )
    ),
)


def _keyed(**key: Any) -> tuple[Planned, ...]:
    return (
        Planned("aws:kms/key:Key", "key", {"arn": KEY_ARN, "customerMasterKeySpec": "SYMMETRIC_DEFAULT", **key}),
        Planned("aws:kms/alias:Alias", "alias", {"name": "alias/a", "targetKeyId": UNKNOWN}, {"targetKeyId": ("key",)}),
        Planned(
            "aws:secretsmanager/secret:Secret",
            "direct",
            {"kmsKeyId": UNKNOWN},
            {"kmsKeyId": ("key",)},
        ),
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
_FILE_SYSTEM: Final = (
    Planned("aws:efs/fileSystem:FileSystem", "fs", {"id": "fs-1", "encrypted": True}),
    Planned(
        "aws:efs/fileSystemPolicy:FileSystemPolicy", "policy", {"fileSystemId": "fs-1", "policy": json.dumps(TLS_ONLY)}
    ),
)

_INTERNAL: Final = (
    *_listener(loadBalancerArn="arn:lb", protocol="HTTP", port=80, defaultActions=[_REDIRECT]),
    Planned("aws:lb/loadBalancer:LoadBalancer", "balancer", {"arn": "arn:lb", "internal": True}),
)

ENCRYPTION_STACK_VALUES: Final = (
    *(
        values("encryption-stack", "at-rest", resources, path, bad=bad)
        for resources, path, bad in (
            (_one("aws:ebs/volume:Volume", encrypted=True), "encrypted", False),
            (
                _one("aws:ec2/instance:Instance", rootBlockDevice={"encrypted": True}),
                "rootBlockDevice.encrypted",
                False,
            ),
            (
                _one("aws:ec2/launchTemplate:LaunchTemplate", blockDeviceMappings=[{"ebs": {"encrypted": "true"}}]),
                "blockDeviceMappings[0].ebs.encrypted",
                "false",
            ),
            (
                _one("aws:ecs/service:Service", volumeConfiguration={"managedEbsVolume": {"encrypted": True}}),
                "volumeConfiguration.managedEbsVolume.encrypted",
                False,
            ),
        )
    ),
    values(
        "encryption-stack",
        "listener-tls",
        _listener(protocol="HTTP", port=80, defaultActions=[_REDIRECT]),
        "defaultActions[0].redirect.protocol",
        "HTTP",
        unknown="violation",
    ),
    values(
        "encryption-advice",
        "internal-tls",
        _INTERNAL,
        "defaultActions[0].redirect.protocol",
        "HTTP",
        unknown="violation",
    ),
    *(
        values("encryption-advice", "service-key", _one(token, **given), path, bad="", unknown="nothing")
        for token, path, given in (
            ("aws:sns/topic:Topic", "kmsMasterKeyId", {"kmsMasterKeyId": KEY_ARN}),
            ("aws:cloudtrail/trail:Trail", "kmsKeyId", {"kmsKeyId": KEY_ARN}),
            (
                "aws:eks/cluster:Cluster",
                "encryptionConfig.provider.keyArn",
                {"encryptionConfig": {"provider": {"keyArn": KEY_ARN}}},
            ),
        )
    ),
    *(
        values(
            "encryption-stack",
            "key-resolved",
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
        "encryption-stack",
        "transport-policy",
        _FILE_SYSTEM,
        "fileSystemId",
        "fs-2",
        target="policy",
        reported="fs",
        unknown="violation",
    ),
    values(
        "encryption-stack",
        "transport-policy",
        _BUCKET,
        "bucket",
        "another",
        target="policy",
        reported="bucket",
        unknown="violation",
    ),
    values(
        "encryption-stack",
        "bucket-key",
        _BUCKET,
        "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId",
        "alias/aws/s3",
        target="sse",
        reported="bucket",
        unknown="nothing",
        configuration={"bucketCustomerKeys": True},
    ),
)
