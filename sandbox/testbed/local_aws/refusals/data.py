"""What S3, DynamoDB, ElastiCache, Backup and Firehose refuse."""

from __future__ import annotations

import re
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import leaves, listed
from sandbox.testbed.local_aws.refusals.access import role_exists
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.policies import resource_policy_problem, statements

_FAMILIES = {"redis": "2.6 2.8 3.2 4.0 5.0 6.x 7", "valkey": "7 8 9", "memcached": "1.4 1.5 1.6"}
"""Parameter group families by engine, without the engine's name."""


def bucket_missing(call: Call, bucket: Any) -> bool:
    return bool(bucket) and call.find("s3:HeadBucket", "keys(@)", Bucket=str(bucket)) is None


def wrong_bucket_policy(call: Call) -> str | None:
    if bucket_missing(call, call["Bucket"]):
        return None
    document = call["Policy"]
    if problem := resource_policy_problem(call, document):
        return "Policies must be valid JSON and the first byte must be '{'" if problem.startswith("Syntax") else problem
    for statement in statements(document):
        for action in listed(statement.get("Action")):
            if not re.fullmatch(r"\*|s3(express|-object-lambda)?:.+", str(action)):
                return "Policy has invalid action"
        for resource in listed(statement.get("Resource")):
            bucket = str(resource).rpartition(":::")[2].partition("/")[0]
            if resource != "*" and not re.fullmatch(
                re.escape(bucket).replace(r"\*", ".*").replace(r"\?", "."), str(call["Bucket"])
            ):
                return "Policy has invalid resource"
    return None


def parameters(call: Call) -> dict[str, Any] | None:
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


def unknown_version(call: Call) -> bool:
    engine, version = call["Engine"] or "redis", call["EngineVersion"]
    return bool(version) and engine in _FAMILIES and _family(engine, version) is None


def other_family(call: Call) -> str | None:
    if not call["CacheParameterGroupName"] or not call["EngineVersion"] or not call["Engine"]:
        return None
    wanted, found = (
        _family(call["Engine"], call["EngineVersion"]),
        (parameters(call) or {}).get("CacheParameterGroupFamily"),
    )
    return f"{wanted} but found one of family {found}" if wanted and found and wanted != found else None


def unknown_family(call: Call) -> bool:
    family = str(call["CacheParameterGroupFamily"])
    return not any(family == f"{engine}{item}" for engine, items in _FAMILIES.items() for item in items.split())


def role_lost(call: Call) -> Any:
    """A role of a destination that doesn't exist."""
    roles = (value for name, value in leaves(call.parameters) if name.lower() == "rolearn")
    return next((arn for arn in roles if not role_exists(call, arn)), None)


def lost_bucket(call: Call) -> Any:
    names = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
    arn = next((call[f"{name}.BucketARN"] for name in names if call[name]), None)
    return arn if arn and bucket_missing(call, arn.rpartition(":")[2]) else None
