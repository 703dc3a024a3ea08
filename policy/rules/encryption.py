"""encryption: what one resource says about itself, at rest and in transit."""

from typing import Final

from rules.configuration import Option
from rules.encryption_at_rest import AT_REST_CHECKS, EBS_DEFAULT
from rules.encryption_in_transit import IN_TRANSIT_CHECKS, LINKS
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.stores import KEY_NAMES, STORES

__all__ = ["RULE"]

_SYMMETRIC: Final = (None, "SYMMETRIC_DEFAULT")


def _key(resource: Resource, findings: Findings) -> None:
    spec = resource.at("customerMasterKeySpec")
    if spec not in _SYMMETRIC or resource.at("keyUsage") not in (None, "ENCRYPT_DECRYPT"):
        return  # AWS rotates symmetric encryption keys only
    findings.require(
        resource, "key-rotation", "enableKeyRotation", "the key does not rotate", "set enableKeyRotation to true"
    )


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    types = sorted({*AT_REST_CHECKS, *IN_TRANSIT_CHECKS})
    checks = {each: (*AT_REST_CHECKS.get(each, ()), *IN_TRANSIT_CHECKS.get(each, ())) for each in types}
    return {**checks, "kms/key": (_key,)}


RULE: Final[Rule] = Rule(
    name="encryption",
    title="Encryption at rest and in transit",
    description="Stores are encrypted at rest, keys rotate, and nothing is sent in plaintext.",
    why=(
        "A disk, a snapshot or a packet that gets into the wrong hands must be worthless. A customer managed key adds a"
        " second permission: access to the store and use of the key are granted separately, and the key can be disabled."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=(
        *sorted({row.control for row in (*STORES, *LINKS) if row.control}),
        *("EFS.8", "APIGateway.5", "CloudFront.3", "CodeBuild.3", "CodeBuild.7", "DMS.9", "ECS.18", "ELB.1", "ELB.3"),
        *("ELB.17", "ELB.18", "EMR.3", "EMR.4", "Redshift.2", "S3.5", "Transfer.2"),
    ),
    related=("KMS.4", "SNS.1"),
    remediation=(
        "Set the property that the message names. Encryption at rest of a file system, volume or database is decided when"
        " it is created: make an encrypted copy, then switch over."
    ),
    checks={
        "at-rest": "The stores of the table in `rules/stores.py`, and the disks of instances, are encrypted at rest.",
        "customer-key": "The stores listed in `customerKeys` name a customer managed KMS key.",
        "key-rotation": "Symmetric KMS keys rotate.",
        "listener-tls": "Load balancer listeners accept TLS 1.2 or newer only; plain HTTP only redirects.",
        "volume-transit": "EFS volumes of tasks are mounted with transit encryption.",
        "plain-transport": "Bucket and file system policies deny every request without TLS.",
        "cache-transit": "ElastiCache, MemoryDB, DAX and AppSync caches require TLS.",
        "store-transit": "Search domains, Kafka, database proxies, migrations and file transfers require TLS.",
        "edge-tls": "CloudFront and API Gateway domain names serve TLS 1.2 or newer only.",
    },
    by_type=_checks(),
    settings=(
        Option(
            "customerKeys",
            "strings",
            [],
            "Stores that need a customer managed KMS key.",
            accepted=KEY_NAMES,
        ),
        EBS_DEFAULT,
    ),
)
