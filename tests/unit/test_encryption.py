"""The customer's keys: one for each store. Their policies are in `decided.yaml`."""

import pytest

from tests.unit.recording import PARTITION, deploy
from tests.unit.stacks import BARE, PRODUCTION, stack

KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"


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
