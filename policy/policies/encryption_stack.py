"""encryption-stack: the encryption checks that need more than one resource."""

from typing import Final

from evaluation.aws.documents import denies_plain_transport
from evaluation.aws.websites import PUBLIC_WEBSITES
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, each_at, shown
from policies.encryption_at_rest import AT_REST, EBS_DEFAULT, decided, inherited, is_customer_key, is_satisfied
from policies.encryption_buckets import check_buckets
from policies.encryption_disks import check_disks
from policies.encryption_listeners import check_listeners
from tables.stores import STORES, Store

_KEYS: Final = ("kms/key", "kms/externalKey", "kms/replicaKey", "kms/replicaExternalKey")
_ALIAS: Final = "kms/alias"
# The properties that name the source of an inherited encryption, and the type of the source.
_SOURCES: Final = (
    ("replicateSourceDb", "rds/instance"),
    ("replicateSourceDb", "rds/cluster"),
    ("replicationSourceIdentifier", "rds/cluster"),
    ("globalClusterIdentifier", "rds/globalCluster"),
    ("globalClusterIdentifier", "docdb/globalCluster"),
    ("globalClusterIdentifier", "neptune/globalCluster"),
    ("globalReplicationGroupId", "elasticache/globalReplicationGroup"),
    ("sourceDbClusterIdentifier", "rds/cluster"),
    ("sourceDbClusterIdentifier", "docdb/cluster"),
    ("sourceDbClusterIdentifier", "neptune/cluster"),
)


def _check(stack: Stack, findings: Findings) -> None:
    for store in STORES:
        for resource in stack.of(store.type):
            if store.key:
                _key_of(stack, resource, store.key, findings)
            if store.switch and store.name != "ebs" and inherited(store, resource) and not decided(store, resource):
                _inherited(stack, store, resource, findings)
    check_disks(stack, findings)
    check_listeners(stack, findings)
    _file_systems(stack, findings)
    check_buckets(stack, findings)


def _key_of(stack: Stack, store: Resource, path: str, findings: Findings) -> None:
    reference = store.stated(path)
    if reference is None:
        reference = next((each for each in each_at(store.properties, path) if each not in (None, UNKNOWN)), None)
    if reference is None or not (reference is UNKNOWN or is_customer_key(reference)):
        return
    keys = _keys(stack, store, reference, path.partition(".")[0])
    if not keys:
        why = "names a key outside of this stack" if reference is not UNKNOWN else "is unknown until the update"
        findings.not_evaluated(store, "key-resolved", path, why)
    for key in keys:
        _usable(store, path, key, findings)


def _keys(stack: Stack, store: Resource, reference: object, name: str) -> list[Resource]:
    direct = [key for canonical in _KEYS if (key := stack.by_identity(reference, canonical)) is not None]
    if direct:
        return direct
    alias = stack.by_identity(reference, _ALIAS)
    aliases = [alias] if alias is not None else stack.dependencies(store, name, _ALIAS)
    through = [key for each in aliases for canonical in _KEYS for key in stack.linked(each, "targetKeyId", canonical)]
    return through or [key for canonical in _KEYS for key in stack.dependencies(store, name, canonical)]


def _usable(store: Resource, path: str, key: Resource, findings: Findings) -> None:
    switch = "isEnabled" if key.type == _KEYS[0] else "enabled"
    if key.at(switch) in (False, "false"):
        what = f"the key {key.name} is disabled, so the data can't be decrypted"
        findings.violation(store, "key-resolved", path, what, f"set {switch} of {key.name} to true", value=key.urn)
    specification = key.at("customerMasterKeySpec")
    if specification not in (None, "SYMMETRIC_DEFAULT", UNKNOWN):
        what = f"the key {key.name} isn't a symmetric encryption key, so it can't encrypt a data store"
        remedy = "use a key whose customerMasterKeySpec is SYMMETRIC_DEFAULT"
        findings.violation(store, "key-resolved", path, what, remedy, value=key.urn)


def _inherited(stack: Stack, store: Store, resource: Resource, findings: Findings) -> None:
    """Evaluate a store that inherits its encryption, by the value that AWS reports or otherwise by its source."""
    value = resource.at(store.switch)
    if value not in (None, UNKNOWN):
        if not is_satisfied(store, value):
            what = f"{store.switch}, inherited from its source, is {shown(value)}, so data at rest isn't encrypted"
            remedy = "use an encrypted source, such as an encrypted copy of the snapshot"
            findings.violation(resource, AT_REST, store.switch, what, remedy)
        return
    named = [name for name in store.inherits if resource.at(name) not in (None, "", False)]
    if not named or any(stack.linked(resource, name, canonical) for name, canonical in _SOURCES if name in named):
        return  # the source is in the stack and evaluated there
    why = "names a source outside of this stack, from which the encryption is inherited"
    findings.not_evaluated(resource, AT_REST, named[0], why)


def _file_systems(stack: Stack, findings: Findings) -> None:
    guarded = stack.referred("efs/fileSystemPolicy", "fileSystemId", "efs/fileSystem")
    for system in stack.of("efs/fileSystem"):
        if system.urn not in guarded and not denies_plain_transport(system.at("policy"), "elasticfilesystem"):
            what = "the file system has no policy that denies mounts without TLS"
            remedy = "add an aws.efs.FileSystemPolicy with a Deny statement for aws:SecureTransport false"
            findings.violation(system, "transport-policy", "", what, remedy)


RULE: Final = Rule(
    name="encryption-stack",
    title="Encryption across resources",
    description="Data stores use enabled symmetric keys, and buckets and file systems have a policy that requires TLS.",
    why=(
        "A data store refers to its key by ARN, alias or a value that is unknown at preview; another resource defines whether"
        " that key can encrypt. Likewise, a file system or bucket without a policy accepts connections without TLS, and its own"
        " properties don't show that."
    ),
    severity="high",
    level="mandatory",
    native=True,
    controls=("EC2.3", "ELB.1", "ELB.8", "ELB.18", "RDS.3", "RDS.27", "S3.5"),
    related=("S3.17",),
    remediation="Use an enabled symmetric key for the data store, and add a policy that requires TLS.",
    checks={
        "key-resolved": "The KMS key of a data store is enabled and symmetric. A key of another stack isn't evaluated.",
        "transport-policy": "Buckets and file systems have a policy. `encryption` checks its content.",
        "bucket-key": "Buckets use a customer managed key, if `bucketCustomerKeys` is true.",
        "at-rest": (
            "EBS disks and copies, replicas and restored data stores are encrypted:"
            " by the author, AWS, their source or the account."
        ),
        "listener-tls": (
            "Internet-facing load balancers don't serve HTTP: HTTP listeners and their rules redirect to HTTPS."
            " Internal ones may serve HTTP; `encryption-advice` lists them. TLS listeners of Classic Load Balancers name a policy."
        ),
    },
    whole_stack=_check,
    settings=(
        Option(
            "bucketCustomerKeys",
            "flag",
            default=False,
            description="Require a customer managed key for every bucket, except for logs that AWS delivers only with SSE-S3.",
        ),
        EBS_DEFAULT,
        PUBLIC_WEBSITES,
    ),
)
