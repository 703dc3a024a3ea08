"""Terraform's states: the buckets, the keys that encrypt them, and their locks, for applies and for plans."""

import json
from collections.abc import Sequence

import pulumi

from ..names import REPOSITORY_TAG, PhysicalNames
from ..outputs import with_part
from ..policy_documents import MOST_CHARACTERS, Statement, allow
from ..settings.accepted import REPOSITORY
from ..settings.groups import TerraformArgs

_LONGEST_BUCKET, _LONGEST_TABLE = "b" * 63, "t" * 255


def statements(names: PhysicalNames, settings: TerraformArgs) -> list[Statement]:
    """What an apply does: it reads and writes the states, and takes their locks."""
    found = _read_only(names, settings)
    if settings.terraform_state_buckets:
        actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        found.insert(1, allow("ReadAndWriteState", actions, _objects(names, settings)))
    if settings.terraform_lock_tables:
        actions = ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"]
        found.append(allow("LockState", actions, _tables(names, settings), _of_items(settings)))
    return found


def plan_statements(names: PhysicalNames, settings: TerraformArgs) -> dict[str, list[Statement]]:
    """What a plan does, by subject: it reads the states and takes their locks, and can't write a state.

    The table of the locks also has each state's digest, under the lock's key with `-md5`. A plan that could write it could
    stop every later operation on the state. The names of all buckets and tables twice would exceed the size of one policy.
    """
    reads, writes = _read_only(names, settings), []
    if settings.terraform_state_buckets:
        objects = _objects(names, settings)
        reads.insert(1, allow("ReadState", ["s3:GetObject"], objects))
        # Terraform writes the lock next to the state: https://developer.hashicorp.com/terraform/language/backend/s3
        lock_files = [with_part("{}.tflock".format, arn) for arn in objects]
        writes.append(allow("LockStateFiles", ["s3:DeleteObject", "s3:PutObject"], lock_files))
    if settings.terraform_lock_tables:
        tables = _tables(names, settings)
        read_items = ["dynamodb:DescribeTable", "dynamodb:GetItem"]
        reads.append(allow("ReadLocks", read_items, tables, _of_items(settings)))
        no_digest = {"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": ["*-md5"]}}
        actions = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
        writes.append(allow("LockState", actions, tables, {**(_of_items(settings) or {}), **no_digest}))
    return {subject: found for subject, found in {"state": reads, "locks": writes}.items() if found}


def require_fit(names: PhysicalNames, settings: TerraformArgs) -> None:
    """Check the length of the policies before anything is registered, with the longest name for an output.

    Raises:
        pulumi.RunError: the buckets, prefixes and tables are too many or too long for one policy.
    """
    known = TerraformArgs(
        terraform_state_buckets=_known(settings.terraform_state_buckets, _LONGEST_BUCKET),
        terraform_state_prefixes=settings.terraform_state_prefixes,
        terraform_state_key_arns=_known(settings.terraform_state_key_arns, names.arn("kms", f"key/{'0' * 36}")),
        terraform_lock_tables=_known(settings.terraform_lock_tables, _LONGEST_TABLE),
    )
    documents = [statements(names, known), *(plan_statements(names, known).values() if settings.isolates else ())]
    for document in documents:
        length = len(json.dumps({"Version": "2012-10-17", "Statement": document}, separators=(",", ":")))
        if length > MOST_CHARACTERS:
            raise pulumi.RunError(
                f"atlantis:terraformStatePrefixes = {list(settings.terraform_state_prefixes)}: with "
                f"{len(settings.terraform_state_buckets)} terraformStateBuckets and {len(settings.terraform_lock_tables)} "
                f"terraformLockTables, a policy of Terraform's role would have {length:,} characters, and IAM allows "
                f"{MOST_CHARACTERS:,}; use fewer or shorter prefixes, or fewer buckets. Nothing was touched"
            )


def _read_only(names: PhysicalNames, settings: TerraformArgs) -> list[Statement]:
    found = []
    if settings.terraform_state_buckets:
        arns = [with_part(names.bucket_arn, bucket) for bucket in settings.terraform_state_buckets]
        # S3 says that a new state doesn't exist yet only to callers that may list its key. The condition key has the object's key
        # then: https://github.com/ceph/ceph/pull/68577 has the comparison with AWS.
        if keys := [f"{prefix}*" for prefix in _prefixes(settings)]:
            found.append(allow("ListState", ["s3:ListBucket"], arns, {"StringLike": {"s3:prefix": keys}}))
            found.append(allow("ReadStateBuckets", ["s3:GetBucketVersioning"], arns))
        else:
            found.append(allow("ListState", ["s3:GetBucketVersioning", "s3:ListBucket"], arns))
    if settings.terraform_state_key_arns:
        # A bucket and its key can be in another region.
        known = (arn.split(":")[3] for arn in settings.terraform_state_key_arns if isinstance(arn, str))
        regions = dict.fromkeys((names.region, *known))
        services = [f"s3.{region}.{names.dns_suffix}" for region in regions]
        by_way_of_s3 = {"StringEquals": {"kms:ViaService": services if services[1:] else services[0]}}
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        found.append(allow("UseStateKeys", actions, settings.terraform_state_key_arns, by_way_of_s3))
    return found


def _objects(names: PhysicalNames, settings: TerraformArgs) -> list[pulumi.Input[str]]:
    arns = (with_part(names.bucket_arn, bucket) for bucket in settings.terraform_state_buckets)
    return [_keys(arn, prefix) for arn in arns for prefix in _prefixes(settings) or ("",)]


def _tables(names: PhysicalNames, settings: TerraformArgs) -> list[pulumi.Input[str]]:
    tables = settings.terraform_lock_tables
    return [with_part(lambda name: names.arn("dynamodb", f"table/{name}"), table) for table in tables]


def _of_items(settings: TerraformArgs) -> dict[str, dict[str, list[pulumi.Input[str]]]] | None:
    """The locks of the states with the prefixes: a lock's key is the bucket and the key of its state."""
    buckets = settings.terraform_state_buckets
    keys = [_keys(bucket, prefix) for bucket in buckets for prefix in _prefixes(settings)]
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}} if keys else None


def _prefixes(settings: TerraformArgs) -> list[str]:
    """The prefixes, with the tag of the session instead of `{repository}`."""
    tag = f"${{aws:PrincipalTag/{REPOSITORY_TAG}}}"
    return [prefix.replace(REPOSITORY, tag) for prefix in settings.terraform_state_prefixes]


def _keys(bucket: pulumi.Input[str], prefix: str) -> pulumi.Input[str]:
    return with_part(lambda name: f"{name}/{prefix}*", bucket)


def _known(values: Sequence[pulumi.Input[str]], longest: str) -> list[str]:
    return [value if isinstance(value, str) else longest for value in values]
