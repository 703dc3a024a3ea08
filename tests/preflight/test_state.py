"""The checks of buckets, tables and boundary, each spoiled once."""

import pytest

from preflight.errors import Status
from sandbox.testbed.local_aws import REGION
from tests.preflight.account import Account, lock_table


def test_missing_bucket_is_a_failure(account: Account):
    account.values["terraformStateBuckets"] = ["tf-state", "tf-elsewhere"]
    account.assert_only(
        "state: buckets exist", Status.FAILED, "no bucket tf-elsewhere", "correct terraformStateBuckets"
    )


def test_bucket_without_versions_is_a_warning(account: Account):
    account.client("s3").put_bucket_versioning(Bucket="tf-state", VersioningConfiguration={"Status": "Suspended"})
    account.assert_only(
        "state: buckets keep versions", Status.WARNING, "tf-state: versioning isn't enabled", "put-bucket-versioning"
    )


def test_bucket_without_encryption_is_a_warning(account: Account):
    account.altered["s3", "get_bucket_encryption"] = ("ServerSideEncryptionConfigurationNotFoundError", "")
    account.assert_only(
        "state: buckets encrypt", Status.WARNING, "tf-state: no default encryption", "put-bucket-encryption"
    )


def _encrypt(account: Account, key: str) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    account.client("s3").put_bucket_encryption(Bucket="tf-state", ServerSideEncryptionConfiguration={"Rules": rules})


@pytest.mark.parametrize("form", ["Arn", "KeyId"])
def test_bucket_under_a_key_that_the_task_may_not_use_is_a_failure(account: Account, form: str):
    key = account.client("kms").create_key()["KeyMetadata"]
    _encrypt(account, key[form])
    account.assert_only(
        "state: buckets encrypt",
        Status.FAILED,
        f"tf-state encrypts with {key['Arn']}, which the task isn't allowed to use",
        "add the key to terraformStateKeyArns",
    )
    account.values["terraformStateKeyArns"] = [key["Arn"]]
    assert account.result("state: buckets encrypt").status is Status.OK


def test_bucket_under_the_key_that_aws_manages_passes(account: Account):
    account.altered["kms", "describe_key"] = {"KeyMetadata": {"KeyManager": "AWS"}}
    _encrypt(account, account.client("kms").create_key()["KeyMetadata"]["Arn"])
    assert account.result("state: buckets encrypt").status is Status.OK


def test_no_bucket_leaves_nothing_to_check(account: Account):
    account.values["terraformStateBuckets"] = []
    account.assert_only("state: buckets exist", Status.NOT_CHECKED, "terraformStateBuckets is empty")


def test_missing_table_is_a_failure(account: Account):
    account.values["terraformLockTables"] = ["tf-elsewhere"]
    account.assert_only(
        "state: lock tables", Status.FAILED, f"no table tf-elsewhere in {REGION}", "partition key LockID"
    )


def test_table_with_another_key_is_a_failure(account: Account):
    lock_table(account, "tf-other", "lockId")
    account.values["terraformLockTables"] = ["tf-lock", "tf-other"]
    account.assert_only(
        "state: lock tables", Status.FAILED, "tf-other has the key lockId (HASH); Terraform writes LockID"
    )


def test_table_that_is_going_away_is_a_failure(account: Account):
    account.altered["dynamodb", "describe_table"] = {"Table": {"TableStatus": "DELETING"}}
    account.assert_only("state: lock tables", Status.FAILED, "tf-lock is DELETING")


def test_no_table_leaves_nothing_to_check(account: Account):
    del account.values["terraformLockTables"]
    assert account.result("state: lock tables").status is Status.NOT_CHECKED
