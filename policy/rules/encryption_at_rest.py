"""encryption, at rest: every store is encrypted, with a customer key where the configuration says so."""

from collections.abc import Callable
from typing import Any, Final

from rules.resources import Resource
from rules.rule import Findings, ResourceCheck
from rules.values import UNKNOWN, mappings, sequence, text, truth

__all__ = ["AT_REST_CHECKS", "CUSTOMER_KEY_STORES", "KEY_PROPERTIES", "is_customer_key"]

AT_REST: Final = "at-rest"
CUSTOMER_KEY: Final = "customer-key"

# Stores that AWS leaves in clear unless one property is true, with that property.
_SWITCHES: Final = {
    "efs/fileSystem": "encrypted",
    "ebs/volume": "encrypted",
    "rds/instance": "storageEncrypted",
    "rds/cluster": "storageEncrypted",
    "docdb/cluster": "storageEncrypted",
    "neptune/cluster": "storageEncrypted",
    "elasticache/replicationGroup": "atRestEncryptionEnabled",
}

# Where each store takes its key: its name in `customerKeys`, its type, the property.
KEY_PROPERTIES: Final = {
    "efs/fileSystem": ("efs", "kmsKeyId"),
    "secretsmanager/secret": ("secrets", "kmsKeyId"),
    "cloudwatch/logGroup": ("logs", "kmsKeyId"),
    "sns/topic": ("sns", "kmsMasterKeyId"),
    "sqs/queue": ("sqs", "kmsMasterKeyId"),
    "dynamodb/table": ("dynamodb", "serverSideEncryption.kmsKeyArn"),
    "ebs/volume": ("ebs", "kmsKeyId"),
    "rds/instance": ("rds", "kmsKeyId"),
    "rds/cluster": ("rds", "kmsKeyId"),
    "docdb/cluster": ("rds", "kmsKeyId"),
    "neptune/cluster": ("rds", "kmsKeyArn"),
    "elasticache/replicationGroup": ("elasticache", "kmsKeyId"),
    "elasticache/serverlessCache": ("elasticache", "kmsKeyId"),
}
CUSTOMER_KEY_STORES: Final = ("dynamodb", "ebs", "ecr", "efs", "elasticache", "logs", "rds", "secrets", "sns", "sqs")

_DISK_BLOCKS: Final = ("rootBlockDevice", "ebsBlockDevices")


def is_customer_key(value: Any) -> bool:
    """Whether a key reference names a key of the customer's: any but the aliases that AWS keeps for its own."""
    name = text(value)
    return name is not None and not name.rpartition("alias/")[2].startswith("aws/")


def _switch(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        findings.require(
            resource,
            AT_REST,
            path,
            "what it stores is not encrypted at rest",
            f"set {path} to true (a store that exists has to be replaced)",
        )

    return check


def _customer_key(store: str, path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if store not in findings.settings.strings("customerKeys"):
            return
        value = resource.at(path)
        # A key that is not known yet was passed by the author: encryption-stack follows it to the key itself.
        if value is not UNKNOWN and not is_customer_key(value):
            _missing_key(resource, findings, path)

    return check


def _missing_key(resource: Resource, findings: Findings, path: str) -> None:
    findings.violation(
        resource,
        CUSTOMER_KEY,
        "it is encrypted with a key that AWS owns, and the configuration demands a customer key",
        f"set {path} to the ARN of a KMS key of your own",
    )


def _topic(resource: Resource, findings: Findings) -> None:
    value = resource.at("kmsMasterKeyId")
    if value is not UNKNOWN and text(value) is None:
        findings.violation(
            resource, AT_REST, "its messages are not encrypted at rest", "set kmsMasterKeyId to the ARN of a KMS key"
        )


def _queue(resource: Resource, findings: Findings) -> None:
    managed = resource.at("sqsManagedSseEnabled")
    key = resource.at("kmsMasterKeyId")
    if managed is UNKNOWN and key is None:
        findings.not_evaluated(resource, AT_REST, "sqsManagedSseEnabled")
    elif managed not in (None, UNKNOWN) and not truth(managed) and key is not UNKNOWN and text(key) is None:
        findings.violation(
            resource,
            AT_REST,
            "encryption is switched off",
            "set kmsMasterKeyId to the ARN of a KMS key, or leave sqsManagedSseEnabled on",
        )


def _repository(resource: Resource, findings: Findings) -> None:
    if "ecr" not in findings.settings.strings("customerKeys"):
        return
    blocks = resource.at("encryptionConfigurations")
    if blocks is UNKNOWN:
        findings.not_evaluated(resource, CUSTOMER_KEY, "encryptionConfigurations")
        return
    keys = [block for _, block in mappings(blocks)]
    named = any(block.get("kmsKey") is UNKNOWN or is_customer_key(block.get("kmsKey")) for block in keys)
    kms = any(block.get("encryptionType") in ("KMS", "KMS_DSSE", UNKNOWN) for block in keys)
    if not (named and kms):
        _missing_key(resource, findings, "encryptionConfigurations[0].kmsKey (with encryptionType KMS)")


def _disks(resource: Resource, findings: Findings) -> None:
    for block in _DISK_BLOCKS:
        _disk_list(resource, findings, block, resource.at(block), lambda disk: disk.get("encrypted"))


def _template_disks(resource: Resource, findings: Findings) -> None:
    path = "blockDeviceMappings"
    _disk_list(resource, findings, path, resource.at(path), lambda disk: _ebs(disk).get("encrypted"))


def _ebs(disk: dict[str, Any]) -> dict[str, Any]:
    blocks = [block for _, block in mappings(disk.get("ebs"))]
    return blocks[0] if blocks else {}


def _disk_list(
    resource: Resource, findings: Findings, path: str, disks: Any, encrypted: Callable[[dict[str, Any]], Any]
) -> None:
    if disks is UNKNOWN or any(disk is UNKNOWN for disk in sequence(disks)):
        findings.not_evaluated(resource, AT_REST, path)
    for index, disk in mappings(disks):
        value = encrypted(disk)
        if value is UNKNOWN:
            findings.not_evaluated(resource, AT_REST, f"{path}[{index}].encrypted")
        elif not truth(value):
            findings.violation(
                resource, AT_REST, f"the disk {path}[{index}] is not encrypted", "set its encrypted to true"
            )


def _at_rest_checks() -> dict[str, tuple[ResourceCheck, ...]]:
    checks: dict[str, list[ResourceCheck]] = {}
    for canonical, path in _SWITCHES.items():
        checks.setdefault(canonical, []).append(_switch(path))
    for canonical, (store, path) in KEY_PROPERTIES.items():
        checks.setdefault(canonical, []).append(_customer_key(store, path))
    checks.setdefault("sns/topic", []).append(_topic)
    checks.setdefault("sqs/queue", []).append(_queue)
    checks["ecr/repository"] = [_repository]
    checks["ec2/instance"] = [_disks]
    checks["ec2/launchTemplate"] = [_template_disks]
    return {canonical: tuple(functions) for canonical, functions in checks.items()}


AT_REST_CHECKS: Final = _at_rest_checks()
