"""encryption-stack: the part of encryption that only the whole stack shows."""

from typing import Final

from rules.configuration import Option
from rules.documents import denies_plain_transport
from rules.encryption_at_rest import AT_REST, EBS_DEFAULT, inherited, is_customer_key, is_satisfied
from rules.encryption_in_transit import redirects_only
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.stores import STORES, Store
from rules.values import UNKNOWN, at, each_at, integer, sequence, text, truth

__all__ = ["RULE"]

_KEY: Final = "kms/key"
_ALIAS: Final = "kms/alias"
_BUCKET: Final = "s3/bucket"
# Where the source of an inherited encryption stands.
_SOURCES: Final = (
    ("replicateSourceDb", "rds/instance"),
    ("replicationSourceIdentifier", "rds/cluster"),
    ("globalClusterIdentifier", "rds/globalCluster"),
    ("globalClusterIdentifier", "docdb/globalCluster"),
    ("globalClusterIdentifier", "neptune/globalCluster"),
    ("globalReplicationGroupId", "elasticache/globalReplicationGroup"),
    ("sourceDbClusterIdentifier", "rds/cluster"),
    ("sourceDbClusterIdentifier", "docdb/cluster"),
    ("sourceDbClusterIdentifier", "neptune/cluster"),
    ("snapshotId", "ebs/snapshotCopy"),
    ("kinesisSourceConfiguration", "kinesis/stream"),
)


def _check(stack: Stack, findings: Findings) -> None:
    for store in STORES:
        for resource in stack.of(store.type):
            if store.key:
                _key_of(stack, resource, store.key, findings)
            if store.switch and inherited(store, resource):
                _inherited(stack, store, resource, findings)
    _root_disks(stack, findings)
    _listener_rules(stack, findings)
    _network_listeners(stack, findings)
    _file_systems(stack, findings)
    _buckets(stack, findings)


def _key_of(stack: Stack, store: Resource, path: str, findings: Findings) -> None:
    reference = store.stated(path)
    if reference is None:
        reference = next((each for each in each_at(store.properties, path) if each not in (None, UNKNOWN)), None)
    if reference is None or not (reference is UNKNOWN or is_customer_key(reference)):
        return
    keys = _keys(stack, store, reference, path.partition(".")[0])
    if not keys:
        why = "leads to a key outside this stack" if reference is not UNKNOWN else "is known only after it is made"
        findings.not_evaluated(store, "key-resolved", path, why)
    for key in keys:
        _usable(store, key, findings)


def _keys(stack: Stack, store: Resource, reference: object, name: str) -> list[Resource]:
    direct = stack.by_identity(reference, _KEY)
    if direct is not None:
        return [direct]
    alias = stack.by_identity(reference, _ALIAS)
    aliases = [alias] if alias is not None else stack.dependencies(store, name, _ALIAS)
    through = [key for each in aliases for key in stack.linked(each, "targetKeyId", _KEY)]
    return through or stack.dependencies(store, name, _KEY)


def _usable(store: Resource, key: Resource, findings: Findings) -> None:
    if key.at("isEnabled") is False:
        what = f"its key {key.name} is disabled, so nothing in it can be read"
        findings.violation(store, "key-resolved", what, "set isEnabled of the key to true")
    specification = key.at("customerMasterKeySpec")
    if specification not in (None, "SYMMETRIC_DEFAULT", UNKNOWN):
        what = f"its key {key.name} is not a symmetric encryption key, which neither encrypts a store nor rotates"
        findings.violation(store, "key-resolved", what, "use a key with customerMasterKeySpec SYMMETRIC_DEFAULT")


def _inherited(stack: Stack, store: Store, resource: Resource, findings: Findings) -> None:
    """A store whose encryption comes with its source: what AWS reports of it counts, else the source itself."""
    value = resource.at(store.switch)
    if value not in (None, UNKNOWN):
        if not is_satisfied(store, value):
            what = "what it inherits from its source is not encrypted at rest"
            findings.violation(resource, AT_REST, what, "encrypt the source (by an encrypted copy of its snapshot)")
        return
    named = [name for name in store.inherits if resource.at(name) not in (None, "", False)]
    if not named or any(stack.linked(resource, name, canonical) for name, canonical in _SOURCES if name in named):
        return  # the source is in the stack, and checked there
    why = "is inherited from what it names, which is not in this stack"
    findings.not_evaluated(resource, AT_REST, named[0], why)


def _root_disks(stack: Stack, findings: Findings) -> None:
    """Instances that leave the root disk to their image, which is unencrypted unless the account encrypts by default."""
    if findings.settings.flag("ebsEncryptedByDefault") or any(
        each.at("enabled") is None or truth(each.at("enabled")) for each in stack.of("ebs/encryptionByDefault")
    ):
        return
    for instance in stack.of("ec2/instance", "ec2/spotInstanceRequest", "ec2/launchConfiguration"):
        root = instance.stated("rootBlockDevice")
        if not root and instance.at("launchTemplate") is None:
            findings.violation(
                instance,
                AT_REST,
                "its root disk is as its image has it, which is not encrypted",
                "set rootBlockDevice with encrypted true, or turn on aws.ebs.EncryptionByDefault",
            )


def _listener_rules(stack: Stack, findings: Findings) -> None:
    """Rules that serve plain HTTP under a listener whose default action redirects."""
    for rule in stack.of("lb/listenerRule"):
        serving = redirects_only(rule.at("actions"))
        for listener in stack.linked(rule, "listenerArn", "lb/listener") if serving else ():
            plain = listener.at("protocol") == "HTTP" or (listener.at("protocol") is None and listener.at("port"))
            if plain and not redirects_only(listener.at("defaultActions")):
                findings.violation(
                    rule,
                    "listener-tls",
                    f"actions[{(serving or [0])[0]}] serves plain HTTP, past the redirect of its listener",
                    "move the rule to the HTTPS listener, or redirect here as well",
                )


def _network_listeners(stack: Stack, findings: Findings) -> None:
    """Plain HTTP through a network load balancer: TCP 80 to anything but an application load balancer that redirects."""
    for listener in stack.of("lb/listener"):
        if listener.at("protocol") not in ("TCP", "TCP_UDP") or integer(listener.at("port")) != 80:
            continue
        known = each_at(listener.properties, "defaultActions.targetGroupArn")
        targets = [each for value in known if (each := stack.by_identity(value, "lb/targetGroup")) is not None]
        targets = targets or stack.dependencies(listener, "defaultActions", "lb/targetGroup")
        if not any(target.at("targetType") == "alb" for target in targets):
            findings.violation(
                listener,
                "listener-tls",
                "it forwards TCP port 80, which is plain HTTP",
                "use a TLS listener, or an application load balancer that redirects to HTTPS",
            )


def _file_systems(stack: Stack, findings: Findings) -> None:
    guarded = {
        system.urn
        for policy in stack.of("efs/fileSystemPolicy")
        for system in stack.linked(policy, "fileSystemId", "efs/fileSystem")
    }
    for system in stack.of("efs/fileSystem"):
        if system.urn not in guarded and not denies_plain_transport(system.at("policy"), "elasticfilesystem"):
            findings.violation(
                system,
                "transport-policy",
                "no file system policy denies mounts without TLS",
                "add an aws.efs.FileSystemPolicy that denies aws:SecureTransport false",
            )


def _buckets(stack: Stack, findings: Findings) -> None:
    buckets = list(stack.of(_BUCKET))
    if not buckets:
        return
    guarded = {each.urn for policy in stack.of("s3/bucketPolicy") for each in stack.linked(policy, "bucket", _BUCKET)}
    encrypted = {
        bucket.urn
        for configuration in stack.of("s3/bucketServerSideEncryptionConfiguration")
        if _uses_customer_key(configuration.at("rules"))
        for bucket in stack.linked(configuration, "bucket", _BUCKET)
    }
    for bucket in buckets:
        if bucket.urn not in guarded and not _own_policy(bucket):
            findings.violation(
                bucket,
                "transport-policy",
                "no bucket policy denies requests without TLS",
                "add an aws.s3.BucketPolicy that denies aws:SecureTransport false",
            )
        inline = at(bucket.properties, "serverSideEncryptionConfiguration.rule")
        if (
            findings.settings.flag("bucketCustomerKeys")
            and bucket.urn not in encrypted
            and not _uses_customer_key(inline)
        ):
            findings.violation(
                bucket,
                "bucket-key",
                "its objects are not encrypted with a customer key",
                "add an aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm aws:kms and your key",
            )


def _own_policy(bucket: Resource) -> bool:
    policy = bucket.at("policy")
    return policy is UNKNOWN or denies_plain_transport(policy, "s3", text(bucket.at("bucket")))


def _uses_customer_key(rules: object) -> bool:
    if rules is UNKNOWN:
        return True
    for rule in sequence(rules):
        default = at(rule, "applyServerSideEncryptionByDefault")
        if default is UNKNOWN:
            return True
        key = at(default, "kmsMasterKeyId")
        kms = at(default, "sseAlgorithm") in ("aws:kms", "aws:kms:dsse", UNKNOWN)
        if kms and (key is UNKNOWN or is_customer_key(key)):
            return True
    return False


RULE: Final = Rule(
    name="encryption-stack",
    title="Encryption across resources",
    description="Keys are followed to the key itself, and buckets and file systems deny plaintext.",
    why=(
        "A store names its key by ARN, by alias or by a value that is not known yet; whether that key encrypts at all is"
        " written on another resource. Likewise a file system or bucket without any policy accepts plain connections, and"
        " nothing in its own properties says so."
    ),
    severity="high",
    level="mandatory",
    native=True,
    controls=("EC2.3", "ELB.1", "ELB.18", "RDS.3", "RDS.27", "S3.5"),
    related=("S3.17",),
    remediation="Point the store at a symmetric key of the stack that is enabled, and give it a policy that requires TLS.",
    checks={
        "key-resolved": "The key of a store is found, enabled and symmetric; one of another stack is not evaluated.",
        "transport-policy": "Buckets and file systems have a policy (whose content `encryption` checks).",
        "bucket-key": "Buckets use a customer managed key, where `bucketCustomerKeys` is true.",
        "at-rest": "Replicas, restored stores and root disks are encrypted, by what AWS reports of them or of their source.",
        "listener-tls": "Listener rules, and network load balancers on port 80, serve no plain HTTP.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "bucketCustomerKeys", "flag", default=False, description="Require a customer managed key of every bucket."
        ),
        EBS_DEFAULT,
    ),
)
