"""encryption: what one resource says about itself, at rest and in transit."""

import re
from typing import Final

from rules.documents import refuses_plain_transport
from rules.encryption_at_rest import AT_REST_CHECKS, CUSTOMER_KEY_STORES
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.settings import Setting
from rules.values import UNKNOWN, at, mappings, sequence, text

__all__ = ["RULE"]

# Policies of AWS whose oldest protocol is TLS 1.2; every other one still speaks 1.0 or 1.1.
_TLS_1_2 = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)[A-Za-z0-9-]*")
_SYMMETRIC: Final = (None, "SYMMETRIC_DEFAULT")


def _key(resource: Resource, findings: Findings) -> None:
    spec = resource.at("customerMasterKeySpec")
    if spec not in _SYMMETRIC or resource.at("keyUsage") not in (None, "ENCRYPT_DECRYPT"):
        return  # AWS rotates symmetric encryption keys only
    findings.require(
        resource, "key-rotation", "enableKeyRotation", "the key does not rotate", "set enableKeyRotation to true"
    )


def _listener(resource: Resource, findings: Findings) -> None:
    protocol = resource.at("protocol")
    if protocol is UNKNOWN:
        findings.not_evaluated(resource, "listener-tls", "protocol")
    elif protocol in ("HTTPS", "TLS"):
        _security_policy(resource, findings)
    elif protocol == "HTTP" or (protocol is None and resource.at("port") == 80):
        _plain_listener(resource, findings)


def _security_policy(resource: Resource, findings: Findings) -> None:
    policy = resource.at("sslPolicy")
    if policy is UNKNOWN:
        findings.not_evaluated(resource, "listener-tls", "sslPolicy")
    elif not _TLS_1_2.fullmatch(text(policy) or ""):
        findings.violation(
            resource,
            "listener-tls",
            "its sslPolicy (or AWS' default, where there is none) accepts protocols older than TLS 1.2",
            "set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06 or newer",
        )


def _plain_listener(resource: Resource, findings: Findings) -> None:
    actions = resource.at("defaultActions")
    if actions is UNKNOWN or any(action is UNKNOWN for action in sequence(actions)):
        findings.not_evaluated(resource, "listener-tls", "defaultActions")
        return
    for index, action in mappings(actions):
        if action.get("type") == "redirect" and at(action, "redirect.protocol") == "HTTPS":
            continue
        if action.get("type") == "fixed-response":
            continue
        findings.violation(
            resource,
            "listener-tls",
            f"defaultActions[{index}] serves plain HTTP",
            "redirect to HTTPS (type redirect, protocol HTTPS, statusCode HTTP_301), or use an HTTPS listener",
        )


def _classic_load_balancer(resource: Resource, findings: Findings) -> None:
    for index, listener in mappings(resource.at("listeners")):
        protocol = (text(listener.get("lbProtocol")) or "").lower()
        if protocol == "http":
            findings.violation(
                resource,
                "listener-tls",
                f"listeners[{index}] serves plain HTTP",
                "use https with a certificate, better on an application load balancer",
            )


def _volumes(resource: Resource, findings: Findings) -> None:
    volumes = resource.at("volumes")
    if volumes is UNKNOWN:
        findings.not_evaluated(resource, "volume-transit", "volumes")
    for index, volume in mappings(volumes):
        configuration = volume.get("efsVolumeConfiguration")
        if configuration is None:
            continue
        path = f"volumes[{index}].efsVolumeConfiguration.transitEncryption"
        value = at(volume, "efsVolumeConfiguration.transitEncryption")
        if value is UNKNOWN:
            findings.not_evaluated(resource, "volume-transit", path)
        elif value != "ENABLED":
            findings.violation(
                resource, "volume-transit", "the EFS volume is mounted without TLS", f"set {path} to ENABLED"
            )


def _refusal(path: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        document = findings.document(resource, "plain-transport", path)
        if document is not None and not refuses_plain_transport(document):
            findings.violation(
                resource,
                "plain-transport",
                "the policy lets clients in without TLS",
                'add a Deny for principal "*" on every action under the condition Bool aws:SecureTransport "false"',
            )

    return check


def _cache_transit(resource: Resource, findings: Findings) -> None:
    findings.require(
        resource,
        "cache-transit",
        "transitEncryptionEnabled",
        "clients talk to it without TLS",
        "set transitEncryptionEnabled to true",
    )


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    in_transit: dict[str, tuple[ResourceCheck, ...]] = {
        "kms/key": (_key,),
        "lb/listener": (_listener,),
        "elb/loadBalancer": (_classic_load_balancer,),
        "ecs/taskDefinition": (_volumes,),
        "s3/bucketPolicy": (_refusal("policy"),),
        "efs/fileSystemPolicy": (_refusal("policy"),),
        "elasticache/replicationGroup": (_cache_transit,),
    }
    types = sorted({*AT_REST_CHECKS, *in_transit})
    return {each: (*AT_REST_CHECKS.get(each, ()), *in_transit.get(each, ())) for each in types}


_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "customerKeys",
        "strings",
        [],
        "Stores that need a KMS key of the customer's own.",
        accepted=CUSTOMER_KEY_STORES,
    ),
)

RULE: Final[Rule] = Rule(
    name="encryption",
    title="Encryption at rest and in transit",
    description="Stores are encrypted at rest, keys rotate, and nothing is spoken in clear.",
    why=(
        "A disk, a snapshot or a packet that leaves its place must be worthless. A customer key adds a second gate: who may"
        " read the store and who may use the key are decided apart, and the key can be withdrawn."
    ),
    severity="critical",
    level="mandatory",
    controls=(
        *("EFS.1", "EFS.8", "EC2.3", "RDS.3", "RDS.27", "DocumentDB.1", "Neptune.1", "ElastiCache.4", "ElastiCache.5"),
        *("SNS.1", "SQS.1", "KMS.4", "ELB.1", "ELB.3", "ELB.17", "ELB.18", "ECS.18", "S3.5"),
    ),
    remediation=(
        "Set the property that the message names. Encryption at rest of a file system, volume or database is decided when"
        " it is created: make an encrypted copy, then move over."
    ),
    checks={
        "at-rest": "EFS, EBS, RDS, DocumentDB, Neptune, ElastiCache, SNS, SQS and instance disks are encrypted at rest.",
        "customer-key": "The stores listed in `customerKeys` name a KMS key of the customer's own.",
        "key-rotation": "Symmetric KMS keys rotate.",
        "listener-tls": "Load balancer listeners speak TLS 1.2 or newer; plain HTTP only redirects.",
        "volume-transit": "EFS volumes of tasks are mounted with transit encryption.",
        "plain-transport": "Bucket and file system policies refuse connections without TLS.",
        "cache-transit": "ElastiCache replication groups talk TLS.",
    },
    by_type=_checks(),
    settings=_SETTINGS,
)
