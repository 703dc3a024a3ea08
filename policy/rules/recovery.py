"""recovery: what must not be lost is backed up, and can't be deleted by one command."""

from typing import Final

from rules.backup_selections import BackupSelections
from rules.configuration import Option
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.values import UNKNOWN, at, integer, truth

__all__ = ["RULE"]

# Properties that must be true: type, path, check, what is wrong without.
_SWITCHES: Final = (
    ("lb/loadBalancer", "enableDeletionProtection", "deletion-protection", "it can be deleted by one call"),
    ("rds/instance", "deletionProtection", "deletion-protection", "it can be deleted by one call"),
    ("rds/cluster", "deletionProtection", "deletion-protection", "it can be deleted by one call"),
    ("neptune/cluster", "deletionProtection", "deletion-protection", "it can be deleted by one call"),
    ("docdb/cluster", "deletionProtection", "deletion-protection", "it can be deleted by one call"),
    ("dynamodb/table", "deletionProtectionEnabled", "deletion-protection", "it can be deleted by one call"),
    ("dynamodb/table", "pointInTimeRecovery.enabled", "backup", "it can't be brought back to an earlier point in time"),
)

# Properties that throw content away when they are true: type, path.
_FORCED: Final = (("ecr/repository", "forceDelete"), ("s3/bucket", "forceDestroy"))

# Days between a deletion and its effect: type, path.
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
    _zones(stack, findings)
    _file_systems(stack, selections, findings)
    _buckets(stack, findings)
    if findings.settings.flag("requireProtect"):
        for resource in stack.of(*_STORES):
            if not resource.protect:
                what = "Pulumi would delete or replace it without asking"
                findings.violation(resource, "protect", what, "set the resource option protect")


def _switches(stack: Stack, selections: BackupSelections, findings: Findings) -> None:
    for canonical, path, check, what in _SWITCHES:
        for resource in stack.of(canonical):
            gateway = canonical == "lb/loadBalancer" and resource.at("loadBalancerType") == "gateway"
            if not gateway and not (check == "backup" and selections.covers(resource)):
                findings.require(resource, check, path, what, f"set {path} to true")
    for canonical, path in _FORCED:
        for resource in stack.of(canonical):
            if truth(resource.at(path)):
                what = f"{path} is on, so what it holds goes with it"
                findings.violation(resource, "deletion-protection", what, f"leave {path} out")


def _window(resource: Resource, path: str, findings: Findings) -> None:
    least = findings.settings.number("minimumDeletionWindowDays")
    value = resource.stated(path)
    days = integer(value)
    if value is UNKNOWN:
        findings.not_evaluated(resource, "deletion-window", path)
    elif days is not None and days < least:
        what = f"a deletion takes effect after {days} days, fewer than {least}"
        findings.violation(resource, "deletion-window", what, f"set {path} to {least} or more, or leave it out (30)")


def _retention(resource: Resource, findings: Findings) -> None:
    value = resource.stated("backupRetentionPeriod")
    least = findings.settings.number("minimumBackupDays")
    if value is UNKNOWN:
        findings.not_evaluated(resource, "backup", "backupRetentionPeriod")
    elif (integer(value) or 0) < least and resource.at("replicateSourceDb") is None:
        what = f"automatic backups are kept fewer than {least} days"
        findings.violation(resource, "backup", what, f"set backupRetentionPeriod to {least} or more")


def _zones(stack: Stack, findings: Findings) -> None:
    """Databases go on in another zone when one fails; replicas and members of a cluster are elsewhere already."""
    for instance in stack.of("rds/instance"):
        member = any(instance.at(name) not in (None, "") for name in ("replicateSourceDb", "clusterIdentifier"))
        if not member and not str(instance.at("engine")).startswith("aurora"):
            what = "it runs in one availability zone only"
            findings.require(instance, "several-zones", "multiAz", what, "set multiAz to true")
    members: dict[str, int] = {}
    for instance in stack.of("rds/clusterInstance"):
        for cluster in stack.linked(instance, "clusterIdentifier", "rds/cluster"):
            members[cluster.urn] = members.get(cluster.urn, 0) + 1
    for cluster in stack.of("rds/cluster"):
        if members.get(cluster.urn) == 1:
            what = "it has one instance, and so runs in one availability zone only"
            findings.violation(cluster, "several-zones", what, "add a second aws.rds.ClusterInstance")
    for group in stack.of("elasticache/replicationGroup"):
        nodes = (integer(group.at("numCacheClusters")) or 0) > 1 or (integer(group.at("replicasPerNodeGroup")) or 0) > 0
        if (
            nodes
            and group.stated("automaticFailoverEnabled") is not UNKNOWN
            and not truth(group.at("automaticFailoverEnabled"))
        ):
            what = "no replica takes over by itself when its primary fails"
            findings.violation(group, "several-zones", what, "set automaticFailoverEnabled and multiAzEnabled to true")


def _file_systems(stack: Stack, selections: BackupSelections, findings: Findings) -> None:
    backed_up = {
        system.urn
        for policy in stack.of("efs/backupPolicy")
        if at(policy.properties, "backupPolicy.status") in ("ENABLED", UNKNOWN)
        for system in stack.linked(policy, "fileSystemId", "efs/fileSystem")
    }
    for system in stack.of("efs/fileSystem"):
        if system.urn not in backed_up and not selections.covers(system):
            what = "no backup policy that is ENABLED, and no backup selection, covers the file system"
            findings.violation(system, "backup", what, "add an aws.efs.BackupPolicy with status ENABLED")


def _buckets(stack: Stack, findings: Findings) -> None:
    versioned = {
        bucket.urn
        for versioning in stack.of("s3/bucketVersioning")
        if at(versioning.properties, "versioningConfiguration.status") in ("Enabled", UNKNOWN)
        for bucket in stack.linked(versioning, "bucket", "s3/bucket")
    }
    for bucket in stack.of("s3/bucket"):
        if bucket.urn not in versioned and not truth(at(bucket.properties, "versioning.enabled")):
            what = "an object that is overwritten or deleted is gone"
            findings.violation(bucket, "versioning", what, "add an aws.s3.BucketVersioning with status Enabled")


RULE: Final = Rule(
    name="recovery",
    title="Recovery",
    description="Stores are backed up and hard to delete.",
    why=(
        "Code can be deployed again; a file system, a key or a database can't. A key that is gone takes all that it"
        " encrypted with it."
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
    remediation="Switch on the protection or the backup that the message names, before there is something to lose.",
    checks={
        "deletion-protection": "Load balancers, databases and tables are protected; repositories and buckets not forced.",
        "backup": "File systems, databases and tables are backed up.",
        "several-zones": "Databases and caches go on in another availability zone when one fails.",
        "versioning": "Buckets keep old versions.",
        "deletion-window": "Keys and secrets wait at least `minimumDeletionWindowDays` before they are gone.",
        "protect": "Stores carry Pulumi's `protect`, where `requireProtect` is true.",
    },
    whole_stack=_check,
    settings=(
        Option("minimumDeletionWindowDays", "number", 14, "The shortest deletion window of keys and secrets, in days."),
        Option("minimumBackupDays", "number", 7, "The shortest retention of database backups, in days."),
        Option("requireProtect", "flag", default=False, description="Require `protect` on stores."),
    ),
)
