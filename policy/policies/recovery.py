"""recovery: data stores are backed up and protected from deletion."""

from typing import Final

from evaluation.aws.backup_selections import BackupSelections
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at_least, integer, shown, truth

# Properties that must be true: type, path, check, consequence if they aren't.
_SWITCHES: Final = (
    ("lb/loadBalancer", "enableDeletionProtection", "deletion-protection", "a single API call can delete the resource"),
    ("rds/instance", "deletionProtection", "deletion-protection", "a single API call can delete the resource"),
    ("rds/cluster", "deletionProtection", "deletion-protection", "a single API call can delete the resource"),
    ("neptune/cluster", "deletionProtection", "deletion-protection", "a single API call can delete the resource"),
    ("docdb/cluster", "deletionProtection", "deletion-protection", "a single API call can delete the resource"),
    ("dynamodb/table", "deletionProtectionEnabled", "deletion-protection", "a single API call can delete the resource"),
    (
        "dynamodb/table",
        "pointInTimeRecovery.enabled",
        "backup",
        "the table can't be restored to an earlier point in time",
    ),
)

# Properties that delete the content together with the resource: type, path.
_FORCED: Final = (("ecr/repository", "forceDelete"), ("s3/bucket", "forceDestroy"))

# Days between the request to delete and the deletion: type, path.
_WINDOWS: Final = (("kms/key", "deletionWindowInDays"), ("secretsmanager/secret", "recoveryWindowInDays"))

_STORES: Final = ("efs/fileSystem", "kms/key", "ecr/repository", "secretsmanager/secret", "rds/instance", "rds/cluster")


def _check(stack: Stack, findings: Findings) -> None:
    selections = BackupSelections(stack)
    _switches(stack, selections, findings)
    for canonical, path in _WINDOWS:
        for resource in stack.of(canonical):
            _window(resource, path, findings)
    for resource in stack.of("rds/instance", "rds/cluster", "docdb/cluster", "neptune/cluster"):
        if not selections.covers(resource):
            _retention(resource, findings)
    for cluster in stack.of("redshift/cluster"):
        if not selections.covers(cluster):
            _retention(cluster, findings, "automatedSnapshotRetentionPeriod")
    for cache in stack.of("elasticache/replicationGroup", "elasticache/serverlessCache"):
        _retention(cache, findings, "snapshotRetentionLimit", 1)
    for cache in stack.of("elasticache/cluster"):
        if cache.at("engine") == "redis" and cache.at("replicationGroupId") is None:
            _retention(cache, findings, "snapshotRetentionLimit", 1)
    _zones(stack, findings)
    _file_systems(stack, selections, findings)
    _buckets(stack, findings)
    if findings.settings.flag("requireProtect"):
        for resource in stack.of(*_STORES):
            if not resource.protect:
                what = "the resource option protect isn't set, so Pulumi can delete or replace the resource"
                findings.violation(resource, "protect", "", what, "set the resource option protect to true")


def _switches(stack: Stack, selections: BackupSelections, findings: Findings) -> None:
    for canonical, path, check, consequence in _SWITCHES:
        for resource in stack.of(canonical):
            gateway = canonical == "lb/loadBalancer" and resource.at("loadBalancerType") == "gateway"
            if not gateway and not (check == "backup" and selections.covers(resource)):
                findings.require(resource, check, path, consequence)
    for canonical, path in _FORCED:
        for resource in stack.of(canonical):
            if truth(resource.at(path)):
                what = f"{path} is true, so Pulumi deletes the content together with the resource"
                findings.violation(resource, "deletion-protection", path, what, f"remove {path}")


def _window(resource: Resource, path: str, findings: Findings) -> None:
    least = findings.settings.number("minimumDeletionWindowDays")
    value = resource.stated(path)
    days = integer(value)
    if value is UNKNOWN:
        findings.not_evaluated(resource, "deletion-window", path)
    elif days is not None and days < least:
        what = f"{path} is {days}, less than minimumDeletionWindowDays ({least})"
        findings.violation(
            resource, "deletion-window", path, what, f"set {path} to {least} or more, or remove it (default 30)"
        )


def _retention(
    resource: Resource, findings: Findings, path: str = "backupRetentionPeriod", least: int | None = None
) -> None:
    value = resource.stated(path)
    least = least or findings.settings.number("minimumBackupDays")
    if value is UNKNOWN:
        findings.not_evaluated(resource, "backup", path)
    elif not at_least(value, least) and resource.at("replicateSourceDb") is None:
        what = f"{path} is {shown(value)}, less than {least} (minimumBackupDays; 1 for caches)"
        findings.violation(resource, "backup", path, what, f"set {path} to {least} or more")


def _zones(stack: Stack, findings: Findings) -> None:
    """Databases and caches fail over to another Availability Zone. Replicas and cluster members aren't evaluated."""
    for instance in stack.of("rds/instance"):
        member = any(instance.at(name) not in (None, "") for name in ("replicateSourceDb", "clusterIdentifier"))
        if not member and not str(instance.at("engine")).startswith("aurora"):
            findings.require(instance, "several-zones", "multiAz", "the database runs in a single Availability Zone")
    members: dict[str, int] = {}
    for instance in stack.of("rds/clusterInstance"):
        for cluster in stack.linked(instance, "clusterIdentifier", "rds/cluster"):
            members[cluster.urn] = members.get(cluster.urn, 0) + 1
    for cluster in stack.of("rds/cluster"):
        if members.get(cluster.urn) == 1:
            what = "the cluster has a single instance, so it runs in a single Availability Zone"
            findings.violation(cluster, "several-zones", "", what, "add a second aws.rds.ClusterInstance")
    for group in stack.of("elasticache/replicationGroup"):
        nodes = at_least(group.at("numCacheClusters"), 2) or at_least(group.at("replicasPerNodeGroup"), 1)
        if (
            nodes
            and group.stated("automaticFailoverEnabled") is not UNKNOWN
            and not truth(group.at("automaticFailoverEnabled"))
        ):
            what = "automaticFailoverEnabled isn't true, so no replica takes over if the primary node fails"
            remedy = "set automaticFailoverEnabled and multiAzEnabled to true"
            findings.violation(group, "several-zones", "automaticFailoverEnabled", what, remedy)


def _file_systems(stack: Stack, selections: BackupSelections, findings: Findings) -> None:
    def enabled(policy: Resource) -> bool:
        return policy.at("backupPolicy.status") in ("ENABLED", UNKNOWN)

    backed_up = stack.referred("efs/backupPolicy", "fileSystemId", "efs/fileSystem", enabled)
    for system in stack.of("efs/fileSystem"):
        if system.urn not in backed_up and not selections.covers(system):
            what = "no enabled backup policy and no backup selection in this stack covers the file system"
            findings.violation(system, "backup", "", what, "add an aws.efs.BackupPolicy with status ENABLED")


def _buckets(stack: Stack, findings: Findings) -> None:
    def enabled(versioning: Resource) -> bool:
        return versioning.at("versioningConfiguration.status") in ("Enabled", UNKNOWN)

    versioned = stack.referred("s3/bucketVersioning", "bucket", "s3/bucket", enabled)
    for bucket in stack.of("s3/bucket"):
        if bucket.urn not in versioned and not truth(bucket.at("versioning.enabled")):
            what = "versioning isn't enabled, so overwritten or deleted objects can't be restored"
            findings.violation(bucket, "versioning", "", what, "add an aws.s3.BucketVersioning with status Enabled")


RULE: Final = Rule(
    name="recovery",
    title="Recovery",
    description="Data stores are backed up and protected from deletion.",
    why=(
        "You can deploy code again, but not the content of a file system, a key or a database. If a key is deleted, everything"
        " that it encrypted is lost."
    ),
    severity="medium",
    level="advisory",
    controls=(
        "ELB.6",
        "EFS.2",
        "RDS.7",
        "RDS.8",
        "RDS.11",
        "DynamoDB.2",
        "DynamoDB.6",
        "RDS.5",
        "RDS.15",
        "ElastiCache.3",
        "KMS.3",
    ),
    related=("S3.14",),
    remediation="Enable the protection or the backup that the message names before the resource holds data.",
    checks={
        "deletion-protection": "Load balancers, databases and tables are protected. Repositories and buckets aren't force-deleted.",
        "backup": "File systems, databases and tables have backups.",
        "several-zones": "Databases and caches fail over to another Availability Zone.",
        "versioning": "Buckets have versioning enabled.",
        "deletion-window": "AWS deletes keys and secrets after at least `minimumDeletionWindowDays`.",
        "protect": "Data stores have Pulumi's resource option `protect`, if `requireProtect` is true.",
    },
    whole_stack=_check,
    settings=(
        Option("minimumDeletionWindowDays", "number", 14, "Minimum deletion window of keys and secrets in days."),
        Option("minimumBackupDays", "number", 7, "Minimum retention of database backups in days."),
        Option(
            "requireProtect", "flag", default=False, description="Require the resource option `protect` on data stores."
        ),
    ),
)
