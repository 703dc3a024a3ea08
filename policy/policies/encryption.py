"""encryption: the properties of each resource encrypt it, at rest and in transit."""

from typing import Final

from evaluation.aws.websites import PUBLIC_WEBSITES
from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck, Rule
from policies.encryption_at_rest import AT_REST_CHECKS
from policies.encryption_disks import DISK_KEY_CHECKS
from policies.encryption_in_transit import IN_TRANSIT_CHECKS
from tables.links import LINKS
from tables.stores import KEY_NAMES, STORES


def rotates(key: Resource) -> bool:
    """Whether AWS KMS can rotate a key: a symmetric encryption key outside of CloudHSM clusters and external key stores."""
    return (
        all(key.at(name) in (None, "") for name in ("customKeyStoreId", "xksKeyId"))
        and key.at("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT")
        and key.at("keyUsage") in (None, "ENCRYPT_DECRYPT")
    )


def _key(resource: Resource, findings: Findings) -> None:
    if rotates(resource):
        findings.require(resource, "key-rotation", "enableKeyRotation", "AWS KMS doesn't rotate the key")


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    tables = (AT_REST_CHECKS, DISK_KEY_CHECKS, IN_TRANSIT_CHECKS)
    types = sorted({each for table in tables for each in table})
    checks = {each: tuple(check for table in tables for check in table.get(each, ())) for each in types}
    return {**checks, "kms/key": (_key,)}


RULE: Final[Rule] = Rule(
    name="encryption",
    title="Encryption at rest and in transit",
    description="Data stores are encrypted at rest, KMS keys rotate, and connections require TLS.",
    why=(
        "Without encryption, anyone who obtains a disk, a snapshot or network traffic can read the data. A customer managed"
        " key adds a second permission: access to the data store and use of the key are granted separately, and you can"
        " disable the key."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=(
        *sorted({row.control for row in STORES if row.control and row.switch and row.name != "ebs"}),
        *sorted({row.control for row in LINKS if row.control}),
        *("EFS.8", "APIGateway.5", "CloudFront.3", "CodeBuild.3", "CodeBuild.7", "DMS.9", "ECS.18", "ELB.1", "ELB.3"),
        *("ELB.17", "ELB.18", "EMR.3", "EMR.4", "Redshift.2", "S3.5", "Transfer.2"),
    ),
    related=("KMS.4", "SNS.1"),
    remediation=(
        "Set the property that the message names. The encryption of an existing file system, volume or database can't be"
        " changed: create an encrypted copy and switch to it."
    ),
    checks={
        "at-rest": "The data stores in `tables/stores.toml` are encrypted at rest; `encryption-stack` evaluates EBS disks.",
        "customer-key": "The data stores listed in `customerKeys` use a customer managed KMS key.",
        "key-rotation": "Automatic rotation is enabled for symmetric KMS keys that AWS can rotate: not in CloudHSM or external key stores.",
        "listener-tls": "HTTPS and TLS listeners of load balancers accept only TLS 1.2 or newer; `encryption-stack` evaluates HTTP.",
        "volume-transit": "ECS tasks mount EFS volumes with encryption in transit.",
        "plain-transport": "Bucket and file system policies deny every request without TLS.",
        "cache-transit": "ElastiCache, MemoryDB, DAX and AppSync caches require TLS.",
        "store-transit": "OpenSearch domains, MSK, RDS proxies, parameter groups, DMS endpoints, Transfer Family and SNS require TLS.",
        "edge-tls": "CloudFront distributions and API Gateway domain names accept only TLS 1.2 or newer.",
    },
    by_type=_checks(),
    settings=(
        Option(
            "customerKeys", "strings", [], "Data stores that must use a customer managed KMS key.", accepted=KEY_NAMES
        ),
        PUBLIC_WEBSITES,
    ),
)
