"""Passing stacks near the encryption policies: what AWS, the author or a key encrypts, and all of them together."""

from typing import Any, Final

from tables.links import LINKS
from tables.stores import STORES, Store
from tests.policy.passing_disks import DISKS
from tests.policy.passing_transit import BUCKETS, TRANSIT
from tests.policy.rows import KEY, Row, deny, document, one, passing, with_value
from tests.policy.servicer import UNKNOWN, Planned

_REST: Final = "encryption/at-rest"
_DISK: Final = "encryption-stack/at-rest"


def _table() -> tuple[Row, ...]:
    """Every row of the table: without its properties if AWS encrypts anyway, and with the simplest good value."""
    found = []
    for number, store in enumerate(STORES):
        if not store.switch or store.satisfied == "not-off":
            found.append(passing(_REST, f"{store.type} {number} by AWS", _row(store.type, {})))
        if store.switch:
            near = _DISK if store.name == "ebs" else _REST
            found.append(passing(near, f"{store.type} {number} by its author", _row(store.type, _good(store))))
    return tuple(found)


def _good(store: Store) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for each in STORES:
        if each.type == store.type and each.switch:
            value = True if isinstance(each.satisfied, str) else each.satisfied[0]
            properties = with_value(properties, each.switch, value)
    return properties


def _row(canonical: str, properties: dict[str, Any]) -> Planned:
    """A resource whose other requirements of the table are met."""
    for link in LINKS:
        if link.type == canonical:
            properties = with_value(properties, link.path, link.satisfied[0])
    for store in STORES:
        if store.type == canonical and not isinstance(store.satisfied, str) and store.switch and not properties:
            properties = with_value(properties, store.switch, store.satisfied[0])
    if canonical == "efs/fileSystem":
        properties = {
            **properties,
            "policy": document(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        }
    return one(canonical, **properties)


SERVICES: Final = (
    passing(
        f"{_REST} {_DISK}",
        "deployed queue with a key",
        one("sqs/queue", name="orders", kmsMasterKeyId="alias/orders"),
        reported={"it": {"sqsManagedSseEnabled": False, "kmsDataKeyReusePeriodSeconds": 300.0}},
    ),
    passing(
        _REST,
        "queue with the key of AWS",
        one("sqs/queue", kmsMasterKeyId="alias/aws/sqs"),
        reported={"it": {"sqsManagedSseEnabled": False}},
    ),
    passing(_REST, "queue of the default", one("sqs/queue", name="q"), reported={"it": {"sqsManagedSseEnabled": True}}),
    passing(
        f"{_REST} {_DISK}",
        "delivery of a stream",
        one("kinesis/firehoseDeliveryStream", kinesisSourceConfiguration={"kinesisStreamArn": "arn:s", "roleArn": "r"}),
        reported={"it": {"serverSideEncryption": {"enabled": False, "keyType": "AWS_OWNED_CMK"}}},
    ),
    passing(
        f"{_REST} {_DISK}",
        "aurora of today",
        one("rds/cluster", engine="aurora-postgresql", engineVersion="17.5"),
        reported={"it": {"storageEncrypted": False}},
    ),
    passing(
        f"{_REST} {_DISK}",
        "aurora of a snapshot",
        one("rds/cluster", engine="aurora-mysql", snapshotIdentifier="s"),
        reported={"it": {"storageEncrypted": False}},
    ),
    passing(_REST, "valkey", one("elasticache/replicationGroup", engine="valkey", transitEncryptionEnabled=True)),
    passing(_REST, "kubernetes of today", one("eks/cluster", version="1.33")),
    passing(
        _REST, "kubernetes of the newest version", one("eks/cluster", name="c"), reported={"it": {"version": "1.34"}}
    ),
    passing(_REST, "kubernetes whose version is an output", one("eks/cluster", version=UNKNOWN)),
    passing(_REST, "topic", one("sns/topic", name="t")),
    passing(_REST, "trail", one("cloudtrail/trail", s3BucketName="logs")),
    passing(
        _REST,
        "workgroup",
        one("athena/workgroup", configuration={"resultConfiguration": {"outputLocation": "s3://b/"}}),
    ),
    passing(_REST, "athena's database", one("athena/database", bucket="b")),
    passing(
        _REST,
        "glue job whose output and logs AWS encrypts",
        one(
            "glue/securityConfiguration",
            encryptionConfiguration={
                "s3Encryption": {"s3EncryptionMode": "DISABLED"},
                "cloudwatchEncryption": {"cloudwatchEncryptionMode": "DISABLED"},
                "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", "kmsKeyArn": KEY},
            },
        ),
    ),
    passing(
        f"{_REST} {_DISK}",
        "replica of another stack",
        one("rds/instance", replicateSourceDb="orders"),
        reported={"it": {"storageEncrypted": True, "kmsKeyId": KEY}},
    ),
    passing("encryption/key-rotation", "key in a CloudHSM cluster", one("kms/key", customKeyStoreId="cks-1")),
    passing(
        "encryption/key-rotation",
        "key in an external key store",
        one("kms/key", customKeyStoreId="cks-1", xksKeyId="1"),
    ),
    passing(
        "encryption/key-rotation",
        "signing key",
        one("kms/key", keyUsage="SIGN_VERIFY", customerMasterKeySpec="ECC_NIST_P256"),
    ),
    passing("encryption/key-rotation", "imported key", one("kms/externalKey", description="k")),
    passing("encryption/key-rotation", "replica of a key", one("kms/replicaKey", primaryKeyArn=KEY)),
    passing(
        "encryption/customer-key",
        "store with its key",
        one("secretsmanager/secret", kmsKeyId=KEY),
        encryption={"customerKeys": ["secrets"]},
    ),
    passing(
        "encryption/customer-key",
        "copy with its own key",
        one("ebs/snapshotCopy", sourceSnapshotId="s", encrypted=True, kmsKeyId=KEY),
        encryption={"customerKeys": ["ebs"]},
    ),
    passing(
        "encryption-stack/key-resolved",
        "key by alias",
        one("kms/key", "key", arn=KEY, enableKeyRotation=True, isEnabled=True),
        one("kms/alias", "alias", name="alias/orders", targetKeyId=KEY),
        one("dynamodb/table", serverSideEncryption={"enabled": True, "kmsKeyArn": KEY}),
        one("sqs/queue", "queue", kmsMasterKeyId="alias/orders"),
    ),
    passing("encryption-stack/key-resolved", "key of another stack", one("cloudwatch/logGroup", kmsKeyId=KEY)),
)

ENCRYPTION_PASSING: Final[tuple[Row, ...]] = (*_table(), *DISKS, *SERVICES, *BUCKETS, *TRANSIT)
