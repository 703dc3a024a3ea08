"""Terraform's backend: buckets for state, tables for locks."""

from collections.abc import Sequence

from components.settings.schema import known_items
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

LOCK_KEY = "LockID"


def buckets(deployment: Deployment) -> str:
    """Every state bucket exists, and the caller can read it."""
    names = _buckets(deployment)
    absent = [name for name in names if deployment.aws.find("s3", "head_bucket", Bucket=name) is None]
    if absent:
        raise FailedError(
            f"no bucket {', '.join(absent)}: Terraform can't read and write its state",
            "create it, or correct terraformStateBuckets",
        )
    return ", ".join(names)


def buckets_versioned(deployment: Deployment) -> str:
    """Every state bucket has versioning, so that a damaged state can be restored."""
    unversioned = [
        name
        for name in _buckets(deployment)
        if deployment.aws.read("s3", "get_bucket_versioning", Bucket=name).get("Status") != "Enabled"
    ]
    if unversioned:
        raise WarnedError(
            f"{', '.join(unversioned)}: versioning isn't enabled, so a damaged state can't be restored",
            f"aws s3api put-bucket-versioning --bucket {unversioned[0]} --versioning-configuration Status=Enabled",
        )
    return "versioning is on"


def buckets_encrypted(deployment: Deployment) -> str:
    """Every state bucket has default encryption."""
    found = []
    for name in _buckets(deployment):
        answer = deployment.aws.find("s3", "get_bucket_encryption", Bucket=name)
        if answer is None:
            raise WarnedError(
                f"{name}: no default encryption, although Terraform's state contains secrets",
                f"aws s3api put-bucket-encryption --bucket {name} with SSE-KMS or SSE-S3",
            )
        rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
        default = rules[0]["ApplyServerSideEncryptionByDefault"]
        _require_usable(deployment, name, default.get("KMSMasterKeyID"))
        found.append(f"{name} {default['SSEAlgorithm']}")
    return ", ".join(found)


def lock_tables(deployment: Deployment) -> str:
    """Every lock table exists, is active, and has the key that Terraform writes."""
    names = known_items(deployment.settings.terraform.terraform_lock_tables)
    if not names:
        raise NotCheckedError("terraformLockTables is empty")
    for name in names:
        answer = deployment.aws.find("dynamodb", "describe_table", TableName=name)
        if answer is None:
            raise FailedError(
                f"no table {name} in {deployment.settings.region}: no plan can lock its state",
                f"create it with the partition key {LOCK_KEY} (string), or correct terraformLockTables",
            )
        table = answer["Table"]
        key = [f"{part['AttributeName']} ({part['KeyType']})" for part in table["KeySchema"]]
        types = {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]}
        if key != [f"{LOCK_KEY} (HASH)"] or types.get(LOCK_KEY) != "S":
            raise FailedError(
                f"{name} has the key {', '.join(key)}; Terraform writes {LOCK_KEY}, a string",
                f"name a table with the partition key {LOCK_KEY} (string)",
            )
        if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
            raise FailedError(f"{name} is {table['TableStatus']}", "wait until it is ACTIVE, or use another table")
    return ", ".join(names)


CHECKS = (
    Check("state", "buckets exist", buckets),
    Check("state", "buckets keep versions", buckets_versioned, needs=(buckets,)),
    Check("state", "buckets encrypt", buckets_encrypted, needs=(buckets,)),
    Check("state", "lock tables", lock_tables),
)


def _require_usable(deployment: Deployment, bucket: str, key: str | None) -> None:
    """Fail if the task can't use the bucket's customer managed key. Every principal can use the AWS managed one."""
    if key is None:
        return
    described = deployment.aws.read("kms", "describe_key", KeyId=key)["KeyMetadata"]
    if (
        described["KeyManager"] == "CUSTOMER"
        and described["Arn"] not in deployment.settings.terraform.terraform_state_key_arns
    ):
        raise FailedError(
            f"{bucket} encrypts with {described['Arn']}, which the task isn't allowed to use: Terraform can't read its state",
            "add the key to terraformStateKeyArns, and make sure that its policy allows this account's roles to use it",
        )


def _buckets(deployment: Deployment) -> Sequence[str]:
    names = known_items(deployment.settings.terraform.terraform_state_buckets)
    if not names:
        raise NotCheckedError("terraformStateBuckets is empty")
    return names
