"""encryption-stack: the part of encryption that only the whole stack shows."""

from typing import Final

from rules.encryption_at_rest import KEY_PROPERTIES, is_customer_key
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.settings import Setting
from rules.values import UNKNOWN, at, mappings, sequence

__all__ = ["RULE"]

_KEY: Final = "kms/key"
_ALIAS: Final = "kms/alias"
_BUCKET: Final = "s3/bucket"
_KEY_PATHS: Final = {
    **{canonical: path for canonical, (_, path) in KEY_PROPERTIES.items()},
    "ecr/repository": "encryptionConfigurations",
}


def _check(stack: Stack, findings: Findings) -> None:
    for canonical, path in _KEY_PATHS.items():
        for store in stack.of(canonical):
            _key_of(stack, store, path, findings)
    _file_systems(stack, findings)
    _buckets(stack, findings)


def _key_of(stack: Stack, store: Resource, path: str, findings: Findings) -> None:
    reference = store.stated(path)
    if store.type == "ecr/repository" and reference is not UNKNOWN:
        references = [block.get("kmsKey") for _, block in mappings(reference)]
        reference = next((each for each in references if each is not None), None)
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


def _file_systems(stack: Stack, findings: Findings) -> None:
    guarded = {
        system.urn
        for policy in stack.of("efs/fileSystemPolicy")
        for system in stack.linked(policy, "fileSystemId", "efs/fileSystem")
    }
    for system in stack.of("efs/fileSystem"):
        if system.urn not in guarded:
            findings.violation(
                system,
                "transport-policy",
                "no file system policy refuses mounts without TLS",
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
        if bucket.urn not in guarded and bucket.at("policy") is None:
            findings.violation(
                bucket,
                "transport-policy",
                "no bucket policy refuses requests without TLS",
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
    description="Keys are followed to the key itself, and every store that can refuses plain transport.",
    why=(
        "A store names its key by ARN, by alias or by a value that is not known yet; whether that key encrypts at all is"
        " written on another resource. Likewise a file system or bucket without any policy accepts plain connections, and"
        " nothing in its own properties says so."
    ),
    severity="high",
    level="mandatory",
    controls=("S3.5", "S3.17", "KMS.4"),
    remediation="Point the store at a symmetric key of the stack that is enabled, and give it a policy that demands TLS.",
    checks={
        "key-resolved": "The key of a store is found, enabled and symmetric; one of another stack is not evaluated.",
        "transport-policy": "Buckets and file systems have a policy (whose content `encryption` judges).",
        "bucket-key": "Buckets use a customer key, where `bucketCustomerKeys` is true.",
    },
    whole_stack=_check,
    settings=(
        Setting("bucketCustomerKeys", "flag", default=False, description="Demand a customer key of every bucket."),
    ),
)
