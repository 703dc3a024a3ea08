"""What a rehearsal finds wrong."""

from typing import Any

from sandbox.adoption_rehearsal.neighbours import changed
from sandbox.adoption_rehearsal.rehearsal import lost, other_resources
from tests.adoption.plans import small_plan
from tests.adoption.small_stack import FILE_SYSTEM

SYSTEM = "aws:efs/fileSystem:FileSystem"


def test_what_existed_before_and_is_gone_was_lost() -> None:
    before = {SYSTEM: {"fs-1", "fs-2"}, "aws:kms/key:Key": {"key"}}
    after = {SYSTEM: {"fs-2", "fs-3"}}
    assert list(lost(before, after)) == [
        f"{SYSTEM} fs-1 is missing: the adoption deleted or replaced it",
        "aws:kms/key:Key key is missing: the adoption deleted or replaced it",
    ]
    assert list(lost(before, before | {"aws:s3/bucket:Bucket": {"new"}})) == []


def test_a_resource_under_another_id_was_not_adopted() -> None:
    plan = small_plan()
    resources: list[dict[str, Any]] = [
        {
            "type": item.pair.wanted.type,
            "urn": f"urn:pulumi:prod::atlantis::x::{item.pair.wanted.name}",
            "custom": True,
            "id": item.pair.actual.id,
        }
        for item in plan.adopted
    ]
    assert list(other_resources(resources, plan)) == []
    system = next(item for item in resources if item["type"] == SYSTEM)
    system["id"] = "fs-new"
    assert list(other_resources(resources, plan)) == [f"storage-efs is fs-new, not {FILE_SYSTEM}: it was not adopted"]
    resources.remove(system)
    assert list(other_resources(resources, plan)) == [f"storage-efs is missing, not {FILE_SYSTEM}: it was not adopted"]


def test_a_part_of_others_that_changed_or_is_missing_is_named_and_a_new_one_is_not() -> None:
    before = {"load balancer lb": {"name": "a"}, "listener l": {"port": 443}, "listener rule r": {"priority": 1}}
    after = {"load balancer lb": {"name": "a"}, "listener l": {"port": 80}, "listener rule new": {}}
    assert list(changed(before, after)) == [
        "listener l of others changed: an adoption leaves it as it is",
        "listener rule r of others is missing: an adoption leaves it as it is",
    ]
    assert list(changed(before, before)) == []
