"""encryption-stack: the encryption checks that need more than one resource."""

from typing import Final

from evaluation.aws.documents import denies_plain_transport
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, each_at, integer, sequence, shown, text, truth
from policies.encryption_at_rest import AT_REST, EBS_DEFAULT, inherited, is_customer_key, is_satisfied
from policies.encryption_in_transit import redirects_only
from tables.stores import STORES, Store

__all__ = ["RULE"]

_KEY: Final = "kms/key"
_ALIAS: Final = "kms/alias"
_BUCKET: Final = "s3/bucket"
# The properties that name the source of an inherited encryption, and the type of the source.
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
        why = "names a key outside of this stack" if reference is not UNKNOWN else "is unknown until the update"
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
        what = f"the key {key.name} is disabled, so the data can't be decrypted"
        findings.violation(store, "key-resolved", what, f"set isEnabled of {key.name} to true")
    specification = key.at("customerMasterKeySpec")
    if specification not in (None, "SYMMETRIC_DEFAULT", UNKNOWN):
        what = f"the key {key.name} isn't a symmetric encryption key, so it can't encrypt a data store"
        findings.violation(store, "key-resolved", what, "use a key whose customerMasterKeySpec is SYMMETRIC_DEFAULT")


def _inherited(stack: Stack, store: Store, resource: Resource, findings: Findings) -> None:
    """Evaluate a store that inherits its encryption, by the value that AWS reports or otherwise by its source."""
    value = resource.at(store.switch)
    if value not in (None, UNKNOWN):
        if not is_satisfied(store, value):
            what = f"{store.switch}, inherited from its source, is {shown(value)}, so data at rest isn't encrypted"
            findings.violation(
                resource, AT_REST, what, "use an encrypted source, such as an encrypted copy of the snapshot"
            )
        return
    named = [name for name in store.inherits if resource.at(name) not in (None, "", False)]
    if not named or any(stack.linked(resource, name, canonical) for name, canonical in _SOURCES if name in named):
        return  # the source is in the stack and evaluated there
    why = "names a source outside of this stack, from which the encryption is inherited"
    findings.not_evaluated(resource, AT_REST, named[0], why)


def _root_disks(stack: Stack, findings: Findings) -> None:
    """Instances without rootBlockDevice: their root volume isn't encrypted unless EBS encryption by default is enabled."""
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
                "rootBlockDevice is not set, so the root volume isn't encrypted",
                "set rootBlockDevice.encrypted to true, or add an aws.ebs.EncryptionByDefault",
            )


def _listener_rules(stack: Stack, findings: Findings) -> None:
    """Listener rules that serve HTTP although the default action of their listener redirects."""
    for rule in stack.of("lb/listenerRule"):
        serving = redirects_only(rule.at("actions"))
        for listener in stack.linked(rule, "listenerArn", "lb/listener") if serving else ():
            plain = listener.at("protocol") == "HTTP" or (listener.at("protocol") is None and listener.at("port"))
            if plain and not redirects_only(listener.at("defaultActions")):
                findings.violation(
                    rule,
                    "listener-tls",
                    f"actions[{(serving or [0])[0]}] serves HTTP, although the default action of its listener redirects to HTTPS",
                    "move the rule to the HTTPS listener, or redirect to HTTPS in the rule",
                )


def _network_listeners(stack: Stack, findings: Findings) -> None:
    """HTTP through a Network Load Balancer: TCP port 80 to a target other than an Application Load Balancer."""
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
                "the listener forwards TCP port 80, which is used for HTTP",
                "use a TLS listener, or forward to an Application Load Balancer that redirects to HTTPS",
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
                "the file system has no policy that denies mounts without TLS",
                "add an aws.efs.FileSystemPolicy with a Deny statement for aws:SecureTransport false",
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
                "the bucket has no policy that denies requests without TLS",
                "add an aws.s3.BucketPolicy with a Deny statement for aws:SecureTransport false",
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
                "the bucket's default encryption doesn't use a customer managed key, which bucketCustomerKeys requires",
                "add an aws.s3.BucketServerSideEncryptionConfiguration with sseAlgorithm aws:kms and the key's ARN",
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
    description="Data stores use enabled symmetric keys, and buckets and file systems have a policy that requires TLS.",
    why=(
        "A data store refers to its key by ARN, alias or a value that is unknown at preview; another resource defines whether"
        " that key can encrypt. Likewise, a file system or bucket without a policy accepts connections without TLS, and its own"
        " properties don't show that."
    ),
    severity="high",
    level="mandatory",
    native=True,
    controls=("EC2.3", "ELB.1", "ELB.18", "RDS.3", "RDS.27", "S3.5"),
    related=("S3.17",),
    remediation="Use an enabled symmetric key for the data store, and add a policy that requires TLS.",
    checks={
        "key-resolved": "The KMS key of a data store is enabled and symmetric. A key of another stack isn't evaluated.",
        "transport-policy": "Buckets and file systems have a policy. `encryption` checks its content.",
        "bucket-key": "Buckets use a customer managed key, if `bucketCustomerKeys` is true.",
        "at-rest": "Replicas, restored data stores and root volumes are encrypted, according to AWS or to their source.",
        "listener-tls": "Listener rules, and Network Load Balancers on port 80, don't serve HTTP.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "bucketCustomerKeys", "flag", default=False, description="Require a customer managed key for every bucket."
        ),
        EBS_DEFAULT,
    ),
)
