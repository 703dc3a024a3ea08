"""What Terraform may do inside the task with the states and secrets that settings name; the other statements are in `decided.yaml`."""

from typing import Any

import pytest

from tests.unit.stacks import PRODUCTION, arn, stack


def statements(subject: str, **changes: Any) -> list[dict[str, Any]]:
    policy = stack(**changes).one("aws:iam/policy:Policy", f"permissions-task-{subject}").decoded["policy"]
    assert policy["Version"] == "2012-10-17"
    return policy["Statement"]


def actions(service: str, *names: str) -> list[str]:
    return [f"{service}:{name}" for name in names]


def allowed(sid: str, of: list[str], on: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": of, "Resource": on}
    return statement | ({"Condition": condition} if condition else {})


LIST_STATE = actions("s3", "GetBucketVersioning", "ListBucket")
WRITE_STATE = actions("s3", "DeleteObject", "GetObject", "PutObject")
LOCK_STATE = actions("dynamodb", "DeleteItem", "DescribeTable", "GetItem", "PutItem")


def test_state_is_read_and_written_in_the_named_buckets_and_locked_in_the_named_tables() -> None:
    buckets = ["arn:aws:s3:::prod-terraform-state", "arn:aws:s3:::shared-terraform-state"]
    assert statements("state", **PRODUCTION) == [
        allowed("ListState", LIST_STATE, buckets),
        allowed("ReadAndWriteState", WRITE_STATE, [f"{bucket}/*" for bucket in buckets]),
        allowed(
            "UseStateKeys",
            actions("kms", "Decrypt", "GenerateDataKey"),
            PRODUCTION["terraformStateKeyArns"],
            {"StringEquals": {"kms:ViaService": "s3.ap-northeast-2.amazonaws.com"}},
        ),
        allowed("LockState", LOCK_STATE, [arn("dynamodb", "table/prod-terraform-locks")]),
    ]


@pytest.mark.parametrize(
    ("changes", "sids"),
    [
        ({"terraformStateBuckets": ["states"]}, ["ListState", "ReadAndWriteState"]),
        ({"terraformLockTables": ["locks"]}, ["LockState"]),
    ],
    ids=["buckets only", "tables only"],
)
def test_a_list_that_is_empty_drops_its_statements(changes: dict[str, Any], sids: list[str]) -> None:
    assert [statement["Sid"] for statement in statements("state", **changes)] == sids


def test_state_is_limited_to_prefixes_of_keys() -> None:
    prefixes = {"terraformStatePrefixes": ["platform/", "data/warehouse/"]}
    listed, written, read, *_ = statements("state", **PRODUCTION | prefixes)
    buckets = ["arn:aws:s3:::prod-terraform-state", "arn:aws:s3:::shared-terraform-state"]
    own = {"StringLike": {"s3:prefix": ["platform/*", "data/warehouse/*"]}}
    assert listed == allowed("ListState", ["s3:ListBucket"], buckets) | {"Condition": own}
    assert read == allowed("ReadStateBuckets", ["s3:GetBucketVersioning"], buckets)
    assert written == allowed(
        "ReadAndWriteState",
        WRITE_STATE,
        [
            f"arn:aws:s3:::{bucket}/{prefix}*"
            for bucket in ("prod-terraform-state", "shared-terraform-state")
            for prefix in ("platform/", "data/warehouse/")
        ],
    )
