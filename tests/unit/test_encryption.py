"""The customer's keys: one for each store, with rotation, an alias and a policy that names who may use it."""

from typing import Any

import pytest

from tests.unit.recording import PARTITION, deploy
from tests.unit.stacks import BARE, PRODUCTION, ROOT, TAGS, arn, stack

KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"

ADMINISTER = {
    "Sid": "AdministerThroughIam",
    "Effect": "Allow",
    "Principal": {"AWS": ROOT},
    "Action": [
        "kms:CancelKeyDeletion",
        "kms:DescribeKey",
        "kms:DisableKey",
        "kms:EnableKey",
        "kms:EnableKeyRotation",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListAliases",
        "kms:ListGrants",
        "kms:ListKeyPolicies",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
        "kms:RevokeGrant",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:UpdateAlias",
        "kms:UpdateKeyDescription",
    ],
    "Resource": "*",
}


def through(service: str, sid: str, *actions: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": [f"kms:{action}" for action in actions],
        "Condition": {
            "StringEquals": {
                "kms:ViaService": f"{service}.ap-northeast-2.amazonaws.com",
                "kms:CallerAccount": "123456789012",
            }
        },
        "Resource": "*",
    }


CREATE_FOR_FILE_SYSTEM = (
    *("CreateGrant", "Decrypt", "DescribeKey", "Encrypt"),
    *("GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
)
LOG_WRITER = {
    "Sid": "EncryptLogs",
    "Effect": "Allow",
    "Principal": {"Service": "logs.ap-northeast-2.amazonaws.com"},
    "Action": [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ],
    "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:/ecs/atlantis-prod")}},
    "Resource": "*",
}


@pytest.mark.parametrize(
    ("name", "description", "users"),
    [
        (
            "storage-efs-key",
            "Atlantis prod: data of the file system",
            through("elasticfilesystem", "UseThroughEfs", *CREATE_FOR_FILE_SYSTEM),
        ),
        (
            "storage-ecr-key",
            "Atlantis prod: layers of the image",
            through("ecr", "UseThroughEcr", "CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "RetireGrant"),
        ),
        (
            "secrets-key",
            "Atlantis prod: GitHub App and webhook secrets",
            through("secretsmanager", "UseThroughSecretsManager", "Decrypt", "DescribeKey", "GenerateDataKey"),
        ),
        ("compute-logs-key", "Atlantis prod: the task's log", LOG_WRITER),
    ],
)
def test_a_key_rotates_serves_its_store_only_and_has_an_alias_that_names_it(
    name: str, description: str, users: dict[str, Any]
) -> None:
    key = stack().one(KEY, name)
    assert key.decoded == {
        "description": description,
        "enableKeyRotation": True,
        "deletionWindowInDays": 30,
        "policy": {"Version": "2012-10-17", "Statement": [ADMINISTER, users]},
        "tags": TAGS,
    }
    assert (key.parent, key.protect) == (name, True)
    alias = stack().one(ALIAS, f"{name}-alias")
    store = name.split("-")[-2]
    assert alias.inputs == {"name": f"alias/{store}-atlantis", "targetKeyId": f"{name}-key-id"}
    assert (alias.parent, alias.delete_before_replace) == (name, True)


def test_there_are_four_keys_and_four_aliases_and_one_more_for_the_flow_logs_of_a_new_vpc() -> None:
    keys = ["compute-logs-key", "secrets-key", "storage-ecr-key", "storage-efs-key"]
    assert stack(**PRODUCTION).names(KEY) == keys
    assert len(stack(**PRODUCTION).all(ALIAS)) == 4
    assert stack().names(KEY) == [*keys, "vpc-flow-key"]


def test_there_is_no_key_for_secrets_where_both_exist_already() -> None:
    assert stack(**BARE).names(KEY) == ["compute-logs-key", "storage-ecr-key", "storage-efs-key", "vpc-flow-key"]


def test_no_key_is_protected_where_nothing_is() -> None:
    assert [key.name for key in stack(**BARE).all(KEY) if key.protect] == []


def test_in_another_partition_the_log_s_principal_has_that_partition_s_suffix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARTITION, "dnsSuffix", "amazonaws.com.cn")
    policy = deploy().one("aws:kms/key:Key", "compute-logs-key").document()
    principals = [statement["Principal"].get("Service") for statement in policy]
    assert "logs.ap-northeast-2.amazonaws.com.cn" in principals
