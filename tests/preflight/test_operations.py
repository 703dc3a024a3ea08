"""The commands of docs/runbooks.md that ask AWS, in states that a sandbox doesn't reach."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components import settings
from preflight.deployment import Deployment
from preflight.remains import remains
from preflight.restore import Restore
from preflight.upgrade import flag_changes, report
from sandbox.testbed.local_aws import ACCOUNT, REGION
from tests.preflight.account import Account
from tests.preflight.altered_aws import AlteredAws, Changes, Whole

KEY = "arn:aws:kms:ap-northeast-2:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
ROLE: Changes = {("iam", "get_role"): Whole(Role={})}
OPEN: Changes = {("backup", "get_backup_vault_access_policy"): ("ResourceNotFoundException", "no policy")}
ENABLED: Changes = {("kms", "describe_key"): Whole(KeyMetadata={"KeyState": "Enabled"})}


def denying(*actions: str) -> Changes:
    policy = {
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": actions[0] if len(actions) == 1 else actions}]
    }
    return {("backup", "get_backup_vault_access_policy"): Whole(Policy=json.dumps(policy))}


def checked(account: Account, changes: Changes, hours: float = 1, **point: Any) -> tuple[str, bool]:
    """The table of a file system with one recovery point."""
    made = {
        "RecoveryPointArn": "arn:aws:backup:ap-northeast-2:123456789012:recovery-point:1",
        "CreationDate": datetime.now(UTC) - timedelta(hours=hours),
        "Status": "COMPLETED",
        "BackupVaultName": "vault",
        "EncryptionKeyArn": KEY,
        **point,
    }
    points: Changes = {("backup", "list_recovery_points_by_resource"): Whole(RecoveryPoints=[made])}
    return Restore(deployment(account, ROLE | OPEN | ENABLED | points | changes)).check("fs-0a1b2c3d4e5f60718")


@pytest.mark.parametrize(
    ("changes", "point", "reason"),
    [
        ({}, {}, ""),
        (denying("backup:DeleteRecoveryPoint"), {}, ""),
        (denying("backup:DeleteRecoveryPoint", "backup:StartRestoreJob"), {}, "the policy of the vault vault denies"),
        (denying("backup:*"), {}, "the policy of the vault vault denies"),
        ({}, {"Status": "PARTIAL"}, "its status is PARTIAL"),
        (
            {("kms", "describe_key"): Whole(KeyMetadata={"KeyState": "PendingDeletion"})},
            {},
            "its key is PendingDeletion",
        ),
        ({("iam", "get_role"): ("NoSuchEntity", "no role")}, {}, "the role AWSBackupDefaultServiceRole doesn't exist"),
    ],
)
def test_a_recovery_point_is_usable_or_has_the_reason(
    account: Account, changes: Changes, point: dict[str, Any], reason: str
) -> None:
    text, usable = checked(account, changes, **point)
    assert usable is not bool(reason)
    assert (f"not usable: {reason}" if reason else "  usable") in text


@pytest.mark.parametrize(
    ("changes", "snapshot", "said", "usable"),
    [
        ({}, {}, "10 MB  before  usable", True),
        ({}, {"SnapshotSource": "automated"}, "usable as a copy", True),
        ({}, {"SnapshotStatus": "creating"}, "not usable: its status is creating", False),
        (
            {("kms", "describe_key"): Whole(KeyMetadata={"KeyState": "PendingDeletion"})},
            {},
            "not usable: its key is PendingDeletion",
            False,
        ),
        ({}, {"ReplicationGroupId": "another"}, "the replication group atlantis-prod has no snapshot", False),
    ],
)
def test_with_redis_its_snapshots_are_usable_or_have_the_reason(
    account: Account, changes: Changes, snapshot: dict[str, Any], said: str, usable: bool
) -> None:
    account.values["lockingDatabase"] = "redis"
    made = {
        "SnapshotName": "before",
        "ReplicationGroupId": "atlantis-prod",
        "SnapshotStatus": "available",
        "SnapshotSource": "manual",
        "KmsKeyId": KEY,
        "NodeSnapshots": [{"SnapshotCreateTime": datetime.now(UTC), "CacheSize": "10 MB"}],
        **snapshot,
    }
    found: Changes = {("elasticache", "describe_snapshots"): Whole(Snapshots=[made])}
    text, is_usable = checked(account, found | changes, EncryptionKeyArn=None)
    assert (is_usable, said in text) == (usable, True), text


@pytest.mark.parametrize(("hours", "warned"), [(47, False), (49, True)])
def test_a_missing_backup_is_warned_about(account: Account, hours: float, warned: bool) -> None:
    assert ("hours old" in checked(account, {}, hours)[0]) is warned


def deployment(account: Account, changes: Changes) -> Deployment:
    parsed = settings.parse(account.values, stack="prod", region=REGION)
    return Deployment("prod", parsed, AlteredAws(REGION, account.session, changes))


@pytest.mark.parametrize(
    ("tag", "ready", "said"),
    [
        ("v0.47.1", True, "server    v0.47.1 in both: flags and rules stay the same"),
        (
            "v0.48.0",
            False,
            "server    v0.47.1 -> v0.48.0: https://github.com/runatlantis/atlantis/releases/tag/v0.48.0",
        ),
        ("v0.48.0", False, "has no list of v0.48.0: compare `atlantis server --help` of both images"),
        ("v0.48.0", False, "image     the image atlantis:v0.48.0 does not exist"),
    ],
)
def test_the_running_server_is_compared_with_the_pinned_one(account: Account, tag: str, ready: bool, said: str) -> None:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/atlantis:v0.47.1"
    service = {"status": "ACTIVE", "taskDefinition": "atlantis-prod:3", "runningCount": 1, "desiredCount": 1}
    definition = {"revision": 3, "containerDefinitions": [{"image": image}]}
    running: Changes = {
        ("ecs", "describe_services"): Whole(services=[service]),
        ("ecs", "describe_task_definition"): Whole(taskDefinition=definition),
    }
    account.values["imageTag"] = tag
    text, is_ready = report(deployment(account, running))
    lines = text.splitlines()
    assert lines[:2] == [f"runs      {image}, task definition 3, 1 of 1 tasks run", f"pinned    {tag}"]
    assert lines[-1] == "back      pulumi config set atlantis:imageTag v0.47.1 --stack prod, and deploy"
    assert (is_ready, said in text) == (ready, True), text


def test_what_remains_is_found_by_the_stacks_tags(account: Account) -> None:
    tagged = [{"ResourceARN": KEY}, {"ResourceARN": "arn:aws:backup:ap-northeast-2:123456789012:recovery-point:1"}]
    until = {"KeyState": "PendingDeletion", "DeletionDate": datetime(2027, 1, 1, tzinfo=UTC)}
    left: Changes = {
        ("resourcegroupstaggingapi", "get_resources"): Whole(ResourceTagMappingList=tagged),
        ("kms", "describe_key"): Whole(KeyMetadata=until),
    }
    assert remains(deployment(account, left)).splitlines() == [
        tagged[1]["ResourceARN"],
        f"{KEY}  deleted on 2027-01-01",
    ]


def test_the_flags_of_two_servers_are_compared_in_the_repositorys_history(tmp_path: Path) -> None:
    file = tmp_path / "components" / "configuration" / "server_flags.json"
    file.parent.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    author = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for version, flags in (
        ("v0.47.1", {"port": "integer", "gone": "string", "same": "boolean"}),
        ("v0.48.0", {"port": "string", "same": "boolean", "new": "boolean"}),
    ):
        file.write_text(json.dumps({"version": version, "flags": flags}), encoding="utf-8")
        subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
        subprocess.run([*author, "commit", "--quiet", "--message", version], cwd=tmp_path, check=True)

    changes = ["removed: gone", "changed: port is string, was integer", "new: new (boolean)"]
    assert flag_changes("v0.47.1", "v0.48.0", tmp_path) == changes
    (unknown,) = flag_changes("v0.46.0", "v0.48.0", tmp_path)
    assert "no list of v0.46.0" in unknown
