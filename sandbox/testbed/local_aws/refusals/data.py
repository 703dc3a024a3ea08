"""What S3, DynamoDB, ElastiCache, Backup and Firehose refuse."""

from __future__ import annotations

import re
from typing import Any, Final

from sandbox.testbed.local_aws.refusals.access import role_exists
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.networks import group_network, subnet
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem, statements
from sandbox.testbed.local_aws.refusals.row import Refusal

__all__ = ["DATA"]

_BUCKET_NAMES = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"
_TRANSITIONS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"
_INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
_SCHEDULE = re.compile(r"(cron|rate)\(.+\)")
_NODE_TYPE = re.compile(r"cache\.[a-z][a-z0-9]*\.(micro|small|medium|large|\d*xlarge)")
_FAMILIES = {"redis": "2.6 2.8 3.2 4.0 5.0 6.x 7", "valkey": "7 8 9", "memcached": "1.4 1.5 1.6"}
"""Parameter group families by engine, without the engine's name."""


def _bucket_missing(call: Call, bucket: Any) -> bool:
    return bool(bucket) and call.find("s3:HeadBucket", "keys(@)", Bucket=str(bucket)) is None


def _wrong_bucket_policy(call: Call) -> str | None:
    if _bucket_missing(call, call["Bucket"]):
        return None
    document = call["Policy"]
    if problem := resource_policy_problem(call, document):
        return "Policies must be valid JSON and the first byte must be '{'" if problem.startswith("Syntax") else problem
    for statement in statements(document):
        for action in _listed(statement.get("Action")):
            if not re.fullmatch(r"\*|s3(express|-object-lambda)?:.+", str(action)):
                return "Policy has invalid action"
        for resource in _listed(statement.get("Resource")):
            bucket = str(resource).rpartition(":::")[2].partition("/")[0]
            if resource != "*" and not re.fullmatch(
                re.escape(bucket).replace(r"\*", ".*").replace(r"\?", "."), str(call["Bucket"])
            ):
                return "Policy has invalid resource"
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _without_acl(call: Call) -> bool:
    path = "OwnershipControls.Rules[0].ObjectOwnership"
    owned = call.find("GetBucketOwnershipControls", path, Bucket=call["Bucket"])
    return owned == "BucketOwnerEnforced" and call["ACL"] not in (None, "private", "bucket-owner-full-control")


def _locked(call: Call) -> bool:
    path = "ObjectLockConfiguration.ObjectLockEnabled"
    return call.find("GetObjectLockConfiguration", path, Bucket=call["Bucket"]) == "Enabled"


def _wrong_lifecycle(call: Call) -> str | None:
    """The parameters of an XML document are texts."""
    rules = call.each("LifecycleConfiguration.Rules")
    names = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(names) != len(set(names)):
        return "Rule ID must be unique. Found same ID for more than one rule"
    for rule in rules:
        expiration = _days(rule.get("Expiration"))
        if expiration is not None and expiration < 1:
            return "'Days' for Expiration action must be a positive integer"
        for transition in rule.get("Transitions") or []:
            days, kind = _days(transition), transition.get("StorageClass")
            if days is not None and kind in _INFREQUENT and days < 30:
                return f"'Days' in Transition action must be greater than or equal to 30 for storageClass '{kind}'"
            if days is not None and expiration is not None and expiration <= days:
                return "'Days' in the Expiration action for filter must be greater than 'Days' in the Transition action"
    return None


def _days(action: Any) -> int | None:
    days = (action or {}).get("Days")
    return int(days) if days is not None and str(days).lstrip("-").isdigit() else None


def _wrong_tags(call: Call) -> str | None:
    keys = call.each("Tagging.TagSet[].Key")
    if len(keys) != len(set(keys)):
        return "Cannot provide multiple Tags with the same key"
    return (
        "System tags cannot be added/updated by requester" if any(str(key).startswith("aws:") for key in keys) else None
    )


def _ttl_is_off(call: Call) -> bool:
    path = "TimeToLiveDescription.TimeToLiveStatus"
    status = call.find("DescribeTimeToLive", path, TableName=call["TableName"])
    return (
        call["TimeToLiveSpecification.Enabled"] is False
        and status in (None, "DISABLED")
        and bool(call.find("DescribeTable", "Table", TableName=call["TableName"]))
    )


def _group_missing(call: Call) -> bool:
    return bool(call["CacheSubnetGroupName"]) and not call.find(
        "DescribeCacheSubnetGroups", "CacheSubnetGroups", CacheSubnetGroupName=call["CacheSubnetGroupName"]
    )


def _parameters(call: Call) -> dict[str, Any] | None:
    """The parameter group in a call; None if it doesn't exist."""
    name = str(call["CacheParameterGroupName"])
    if name.startswith("default."):
        return {"CacheParameterGroupFamily": name.removeprefix("default.").removesuffix(".cluster.on")}
    return call.find("DescribeCacheParameterGroups", "CacheParameterGroups[0]", CacheParameterGroupName=name)


def _family(engine: str, version: str) -> str | None:
    """The family of an engine's version; None if there is no such version."""
    families = _FAMILIES.get(engine, "").split()
    found = next(
        (item for item in families if version == item or version.startswith(f"{item.removesuffix('.x')}.")), None
    )
    return f"{engine}{found}" if found else None


def _unknown_version(call: Call) -> bool:
    engine, version = call["Engine"] or "redis", call["EngineVersion"]
    return bool(version) and engine in _FAMILIES and _family(engine, version) is None


def _other_family(call: Call) -> str | None:
    if not call["CacheParameterGroupName"] or not call["EngineVersion"] or not call["Engine"]:
        return None
    wanted, found = (
        _family(call["Engine"], call["EngineVersion"]),
        (_parameters(call) or {}).get("CacheParameterGroupFamily"),
    )
    return f"{wanted} but found one of family {found}" if wanted and found and wanted != found else None


def _unknown_family(call: Call) -> bool:
    family = str(call["CacheParameterGroupFamily"])
    return not any(family == f"{engine}{item}" for engine, items in _FAMILIES.items() for item in items.split())


def _single(call: Call) -> bool:
    nodes = call["NumCacheClusters"] or 1
    sharded = call["NumNodeGroups"] or call["ReplicasPerNodeGroup"] or call["NodeGroupConfiguration"]
    return bool(call["AutomaticFailoverEnabled"]) and nodes < 2 and not sharded


def _parameters_used(call: Call) -> bool:
    path = "CacheClusters[].CacheParameterGroup.CacheParameterGroupName"
    return call["CacheParameterGroupName"] in call.all("DescribeCacheClusters", path)


def _plan_problem(call: Call) -> str | None:
    for rule in call.each("BackupPlan.Rules"):
        if rule.get("ScheduleExpression") and not _SCHEDULE.fullmatch(rule["ScheduleExpression"]):
            return f"Invalid ScheduleExpression: {rule['ScheduleExpression']}"
        vault = rule.get("TargetBackupVaultName")
        if vault and call.find("DescribeBackupVault", "keys(@)", BackupVaultName=vault) is None:
            return f"Cannot find backup vault: {vault}"
        lifecycle = rule.get("Lifecycle") or {}
        cold, delete = (lifecycle.get(name) for name in ("MoveToColdStorageAfterDays", "DeleteAfterDays"))
        if cold and delete and 0 < delete < cold + 90 and cold > 0:
            return (
                "Invalid lifecycle. DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays"
            )
    return None


def _plan_taken(call: Call) -> bool:
    name = call["BackupPlan.BackupPlanName"]
    return name in call.all("ListBackupPlans", "BackupPlansList[].BackupPlanName")


def _role_lost(call: Call) -> Any:
    """A role of a destination that doesn't exist."""
    found = [arn for arn in _roles(call.parameters) if not role_exists(call, arn)]
    return found[0] if found else None


def _roles(value: Any, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [arn for key, item in value.items() for arn in _roles(item, key)]
    return [value] if isinstance(value, str) and name.lower() == "rolearn" else []


def _lost_bucket(call: Call) -> Any:
    names = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
    arn = next((call[f"{name}.BucketARN"] for name in names if call[name]), None)
    return arn if arn and _bucket_missing(call, arn.rpartition(":")[2]) else None


_PLAN = "backup:CreateBackupPlan UpdateBackupPlan"
_REPLICATION = "elasticache:CreateReplicationGroup"
_CACHE = "elasticache:CreateReplicationGroup CreateCacheCluster"

DATA: Final = (
    Refusal(
        "s3:CreateBucket",
        "InvalidBucketName",
        "The specified bucket is not valid.",
        lambda c: re.search(r"\.\.|^xn--|-s3alias$|^sthree-", str(c["Bucket"])),
        _BUCKET_NAMES,
    ),
    Refusal("s3:PutBucketPolicy", "MalformedPolicy", "{found}", _wrong_bucket_policy),
    Refusal(
        "s3:PutBucketAcl PutObjectAcl", "AccessControlListNotSupported", "The bucket does not allow ACLs", _without_acl
    ),
    Refusal(
        "s3:PutBucketVersioning",
        "InvalidBucketState",
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        lambda c: c["VersioningConfiguration.Status"] == "Suspended" and _locked(c),
    ),
    Refusal("s3:PutBucketLifecycleConfiguration", "InvalidArgument", "{found}", _wrong_lifecycle, _TRANSITIONS),
    Refusal(
        "s3:PutBucketLogging",
        "InvalidTargetBucketForLogging",
        "The target bucket for logging does not exist",
        lambda c: _bucket_missing(c, c["BucketLoggingStatus.LoggingEnabled.TargetBucket"]),
    ),
    Refusal("s3:PutBucketTagging", "InvalidTag", "{found}", _wrong_tags),
    Refusal(
        "s3:PutBucketCors",
        "InvalidRequest",
        "Found unsupported HTTP method in CORS config. Unsupported method is {found}",
        lambda c: next(
            (item for item in c.each("CORSConfiguration.CORSRules[].AllowedMethods[]") if item not in _METHODS), None
        ),
    ),
    Refusal(
        "dynamodb:CreateTable UpdateTable",
        "ValidationException",
        "One or more parameter values were invalid: StreamViewType is required if StreamEnabled is true",
        lambda c: c["StreamSpecification.StreamEnabled"] and not c["StreamSpecification.StreamViewType"],
    ),
    Refusal("dynamodb:UpdateTimeToLive", "ValidationException", "TimeToLive is already disabled", _ttl_is_off),
    Refusal(
        _REPLICATION,
        "InvalidParameterValue",
        "The parameter ReplicationGroupId must be at most 40 letters, digits and hyphens, and must begin with a letter",
        lambda c: not re.fullmatch(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,39}(?<!-)", str(c["ReplicationGroupId"])),
    ),
    Refusal(
        _CACHE,
        "InvalidParameterValue",
        "The node type {CacheNodeType} is not valid",
        lambda c: c["CacheNodeType"] and not _NODE_TYPE.fullmatch(c["CacheNodeType"]),
    ),
    Refusal(
        _CACHE,
        "CacheSubnetGroupNotFoundFault",
        "Cache Subnet Group {CacheSubnetGroupName} does not exist.",
        _group_missing,
    ),
    Refusal(
        _CACHE,
        "CacheParameterGroupNotFound",
        "CacheParameterGroup {CacheParameterGroupName} not found.",
        lambda c: c["CacheParameterGroupName"] and _parameters(c) is None,
    ),
    Refusal(
        _CACHE, "InvalidParameterCombination", "Cannot find version {EngineVersion} for the engine", _unknown_version
    ),
    Refusal(
        _CACHE,
        "InvalidParameterCombination",
        "Expected a parameter group of family {found} for acquiring cluster.",
        _other_family,
    ),
    Refusal(
        _CACHE,
        "InvalidParameterValue",
        "The security group {found} does not exist",
        lambda c: next((item for item in c.each("SecurityGroupIds") if group_network(c, item) is None), None),
    ),
    Refusal(
        _REPLICATION,
        "InvalidParameterCombination",
        "The AUTH token is only supported when encryption-in-transit is enabled",
        lambda c: c["AuthToken"] and not c["TransitEncryptionEnabled"],
    ),
    Refusal(
        _REPLICATION,
        "InvalidParameterValue",
        "Invalid AUTH token: 16 to 128 printable characters, without /, @ and quotes",
        lambda c: (
            (c["AuthToken"] and not re.fullmatch(r"[!-~]{16,128}", c["AuthToken"]))
            or re.search(r'[/"@]', c["AuthToken"] or "")
        ),
    ),
    Refusal(
        _REPLICATION,
        "InvalidParameterCombination",
        "Automatic failover is not supported for a replication group with a single node",
        _single,
    ),
    Refusal(
        _REPLICATION,
        "InvalidParameterCombination",
        "Multi-AZ requires automatic failover",
        lambda c: c["MultiAZEnabled"] and not c["AutomaticFailoverEnabled"],
    ),
    Refusal(
        "elasticache:CreateCacheSubnetGroup ModifyCacheSubnetGroup",
        "InvalidSubnet",
        "The subnets {found} aren't all in one VPC, or don't exist",
        lambda c: (
            (len({subnet(c, item).get("VpcId") for item in c.each("SubnetIds")} | {None}) != 2) and c["SubnetIds"]
        ),
    ),
    Refusal(
        "elasticache:CreateCacheParameterGroup",
        "InvalidParameterValue",
        "CacheParameterGroupFamily {CacheParameterGroupFamily} is not a valid parameter group family.",
        _unknown_family,
    ),
    Refusal(
        "elasticache:DeleteCacheParameterGroup",
        "InvalidCacheParameterGroupState",
        "One or more cache clusters are still using the parameter group {CacheParameterGroupName}.",
        _parameters_used,
    ),
    Refusal(_PLAN, "InvalidParameterValueException", "{found}", _plan_problem),
    Refusal(
        "backup:CreateBackupPlan",
        "AlreadyExistsException",
        "Backup plan with the same plan document already exists: {found}",
        lambda c: _plan_taken(c) and c["BackupPlan.BackupPlanName"],
    ),
    Refusal(
        "backup:CreateBackupSelection",
        "InvalidParameterValueException",
        "The role {found} cannot be assumed by AWS Backup",
        lambda c: not role_exists(c, c["BackupSelection.IamRoleArn"]) and c["BackupSelection.IamRoleArn"],
    ),
    Refusal(
        "backup:CreateBackupSelection",
        "AlreadyExistsException",
        "Backup selection {found} already exists",
        lambda c: (
            c["BackupSelection.SelectionName"]
            in c.all("ListBackupSelections", "BackupSelectionsList[].SelectionName", BackupPlanId=c["BackupPlanId"])
            and c["BackupSelection.SelectionName"]
        ),
    ),
    Refusal(
        "backup:DeleteBackupPlan",
        "InvalidRequestException",
        "Related backup plan selections must be deleted prior to backup plan deletion",
        lambda c: c.all("ListBackupSelections", "BackupSelectionsList", BackupPlanId=c["BackupPlanId"]),
    ),
    Refusal(
        "firehose:CreateDeliveryStream",
        "InvalidArgumentException",
        "Firehose is unable to assume role {found}. Please check the role provided.",
        _role_lost,
    ),
    Refusal(
        "firehose:CreateDeliveryStream",
        "InvalidArgumentException",
        "The S3 bucket {found} does not exist",
        _lost_bucket,
    ),
)
