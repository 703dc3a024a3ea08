"""encryption, at rest: every data store in STORES is encrypted, with a customer managed key if the configuration requires it."""

from collections.abc import Iterable
from typing import Any, Final

from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck
from evaluation.values import UNKNOWN, each_at, mapping, mappings, parse_json, shown, text, truth
from tables.stores import STORES, Store

AT_REST: Final = "at-rest"
CUSTOMER_KEY: Final = "customer-key"
# A copy can have another key than its source.
_SOURCES_OF_COPIES: Final = ("sourceSnapshotId", "sourceAmiId")

EBS_DEFAULT: Final = Option(
    "ebsEncryptedByDefault",
    "flag",
    default=False,
    description="EBS encryption by default is enabled in every account, so volumes need not set it.",
)


def is_customer_key(value: Any) -> bool:
    """Whether a key reference names a customer managed key: any key except the aliases that AWS reserves (alias/aws/...)."""
    name = text(value)
    return name is not None and name != "AWS_OWNED_KMS_KEY" and not name.rpartition("alias/")[2].startswith("aws/")


def is_satisfied(store: Store, value: Any) -> bool:
    """Whether a known value of the store's encryption property means that the store is encrypted."""
    if store.satisfied == "on":
        return truth(value)
    if store.satisfied == "not-off":
        return value is None or truth(value)
    return value in store.satisfied


def _given(resource: Resource, names: Iterable[str]) -> list[str]:
    """The properties of these names that are set; an unknown one was set by the author."""
    return [name for name in names if resource.at(name) not in (None, "", False)]


def decided(store: Store, resource: Resource) -> bool:
    """Whether an input decides alone that the store is encrypted, so that what AWS reports for the switch says nothing."""
    return bool(_given(resource, store.decides)) or encrypted_by_aws(resource)


def encrypted_by_aws(resource: Resource) -> bool:
    """Whether AWS encrypts the store without the property: Aurora (see the table of stores), and Valkey caches."""
    if resource.type == "rds/cluster":
        aurora = (text(resource.at("engine")) or "").startswith("aurora") or resource.at("engineMode") == "serverless"
        return aurora and not _authored(resource, "storageEncrypted")
    valkey = resource.type == "elasticache/replicationGroup" and resource.at("engine") == "valkey"
    return valkey and not _authored(resource, "atRestEncryptionEnabled")


def _authored(resource: Resource, name: str) -> bool:
    """Whether the author set a switch. AWS' outputs contain it as well, so without the inputs a value counts as the author's."""
    return resource.at(name) not in (None, UNKNOWN) and resource.authored(name) is not False


def inherited(store: Store, resource: Resource) -> bool:
    """Whether the store inherits its encryption from another resource, such as a replica's source, and doesn't set it itself."""
    # Outputs contain the inherited value; the author's inputs don't.
    says = (
        resource.at(store.switch) not in (None, UNKNOWN)
        and resource.authored(store.switch.partition(".")[0]) is not False
    )
    return not says and bool(_given(resource, store.inherits))


def _switch(store: Store) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if decided(store, resource) or inherited(store, resource):
            return  # encryption-stack evaluates the source
        for value in each_at(resource.properties, store.switch):
            if value is UNKNOWN:
                findings.not_evaluated(resource, AT_REST, store.switch)
            elif not is_satisfied(store, value):
                what = f"{store.switch} is {shown(value)}, so data at rest isn't encrypted"
                findings.violation(resource, AT_REST, store.switch, what, _remedy(store))

    return check


def _remedy(store: Store) -> str:
    value = "true" if isinstance(store.satisfied, str) else store.satisfied[0]
    return f"set {store.switch} to {value} (AWS may have to replace an existing resource)"


def _customer_key(store: Store) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if store.name not in findings.settings.strings("customerKeys"):
            return
        if _given(resource, (name for name in store.inherits if name not in _SOURCES_OF_COPIES)):
            return  # the key is inherited from the source
        # An unknown key was set by the author: encryption-stack follows the reference to the key resource.
        if not all(value is UNKNOWN or is_customer_key(value) for value in each_at(resource.properties, store.key)):
            missing_key(resource, findings, store.key)

    return check


def missing_key(resource: Resource, findings: Findings, path: str) -> None:
    """Report that a data store doesn't use a customer managed key."""
    what = f"{path} doesn't name a customer managed key, which this policy's customerKeys requires"
    remedy = f"set {path} to the ARN of a customer managed KMS key"
    findings.violation(resource, CUSTOMER_KEY, path, what, remedy)


def _unused_key(resource: Resource, findings: Findings) -> None:
    """A table with a key whose encryption with KMS is disabled: DynamoDB uses a key that AWS owns instead."""
    if resource.at("serverSideEncryption.enabled") is False and is_customer_key(
        resource.at("serverSideEncryption.kmsKeyArn")
    ):
        what = (
            "serverSideEncryption.enabled is false, so the table doesn't use the key in serverSideEncryption.kmsKeyArn"
        )
        findings.violation(
            resource, CUSTOMER_KEY, "serverSideEncryption.enabled", what, "set serverSideEncryption.enabled to true"
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
        missing_key(resource, findings, "encryptionConfigurations[0].kmsKey (with encryptionType KMS)")


def _redis_cluster(resource: Resource, findings: Findings) -> None:
    """Redis outside of a replication group doesn't support encryption at rest, and Memcached stores nothing on disk."""
    if resource.at("engine") == "redis" and resource.at("replicationGroupId") is None:
        what = "a Redis cluster without a replication group doesn't support encryption at rest"
        findings.violation(
            resource, AT_REST, "replicationGroupId", what, "use an aws.elasticache.ReplicationGroup or ServerlessCache"
        )


def _emr_cluster(resource: Resource, findings: Findings) -> None:
    if resource.at("securityConfiguration") in (None, ""):
        what = "securityConfiguration is not set, so the cluster doesn't encrypt its disks and the traffic between its nodes"
        remedy = "set securityConfiguration to an aws.emr.SecurityConfiguration that encrypts at rest and in transit"
        findings.violation(resource, AT_REST, "securityConfiguration", what, remedy)


def _emr_configuration(resource: Resource, findings: Findings) -> None:
    document = findings.document(resource, AT_REST, "configuration")
    settings = mapping(mapping(parse_json(document)).get("EncryptionConfiguration"))
    if document is not None and not truth(settings.get("EnableAtRestEncryption")):
        what = "EnableAtRestEncryption isn't true, so EMR clusters don't encrypt data at rest"
        remedy = "set EnableAtRestEncryption to true in configuration"
        findings.violation(
            resource, AT_REST, "configuration.EncryptionConfiguration.EnableAtRestEncryption", what, remedy
        )


def _build_artifacts(resource: Resource, findings: Findings) -> None:
    for path in (
        *("artifacts.encryptionDisabled", "secondaryArtifacts.encryptionDisabled"),
        *("logsConfig.s3Logs.encryptionDisabled", "exportConfig.s3Destination.encryptionDisabled"),
    ):
        if any(truth(value) for value in each_at(resource.properties, path)):
            findings.violation(
                resource, AT_REST, path, f"{path} is true, so its output isn't encrypted", f"remove {path}"
            )


def _method_cache(resource: Resource, findings: Findings) -> None:
    path = "settings.cacheDataEncrypted"
    for _, settings in mappings(resource.at("settings")):
        encrypted = settings.get("cacheDataEncrypted")
        if truth(settings.get("cachingEnabled")) and encrypted is UNKNOWN:
            findings.not_evaluated(resource, AT_REST, path)
        elif truth(settings.get("cachingEnabled")) and not truth(encrypted):
            what = f"{path} is {shown(encrypted)}, so cached responses aren't encrypted"
            findings.violation(resource, AT_REST, path, what, f"set {path} to true")


def _checks() -> dict[str, tuple[ResourceCheck, ...]]:
    checks: dict[str, list[ResourceCheck]] = {
        "ecr/repository": [_repository],
        "dynamodb/table": [_unused_key],
        "elasticache/cluster": [_redis_cluster],
        "emr/cluster": [_emr_cluster],
        "emr/securityConfiguration": [_emr_configuration],
        "codebuild/project": [_build_artifacts],
        "codebuild/reportGroup": [_build_artifacts],
        "apigateway/methodSettings": [_method_cache],
    }
    for store in STORES:
        functions = checks.setdefault(store.type, [])
        if store.switch and store.name != "ebs":
            functions.append(_switch(store))
        if store.key and store.type != "ecr/repository":
            functions.append(_customer_key(store))
    return {canonical: tuple(functions) for canonical, functions in checks.items()}


AT_REST_CHECKS: Final = _checks()
