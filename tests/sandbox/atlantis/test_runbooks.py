"""docs/runbooks.md, followed in the sandbox with production's settings and the real server."""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from preflight.ecr_image import EcrImage
from sandbox.atlantis import registry
from sandbox.sandbox import Sandbox
from sandbox.testbed.containers.targets import entrance
from sandbox.testbed.local_aws import ACCOUNT, REGION
from tests.needs import needs
from tests.sandbox.atlantis.served import service_of
from tests.sandbox.clone import Clone, clone
from tests.sandbox.harness import Scratch

pytestmark = [needs("terraform"), needs("aws"), needs("jq")]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Production's settings in a copy of the project, deployed with the server."""
    made = clone(tmp_path_factory.mktemp("runbooks"), "prod")
    for command in ("pulumi login file://$BACKEND", "pulumi stack init prod", "make up STACK=prod"):
        ran = made.run(command)
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    made.environment.update(sandbox(made).aws.environment())
    yield made
    for stack in ("prod", "moved"):
        Scratch(made.scratch.base, stack).stop()


def sandbox(copied: Clone) -> Sandbox:
    return copied.scratch.with_server()


def image_of(copied: Clone) -> str:
    """The image of the service's task definition."""
    service = service_of(sandbox(copied))
    return service.task_definition(service.require_service().definition)["containerDefinitions"][0]["image"]


def pull_request(copied: Clone, folder: Path, stack: str = "prod") -> str:
    """Open a pull request with a plan; its number."""
    folder.mkdir()
    (folder / "main.tf").write_text(f'resource "terraform_data" "{folder.parent.name}" {{}}\n', encoding="utf-8")
    opened = copied.run(f"make pr STACK={stack} FROM={folder}")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in opened.stdout, opened.stdout + opened.stderr
    return re.findall(r"NUMBER=(\d+)", opened.stderr)[0]


def apply(copied: Clone, number: str, stack: str = "prod") -> str:
    return copied.run(f"make pr STACK={stack} NUMBER={number} APPROVE=1 COMMENT='atlantis apply' MERGE=1").stdout


def back_up(copied: Clone, vault: str) -> str:
    """Back the file system up, as a plan does every day; the recovery point's ARN."""
    system = sandbox(copied).outputs()["atlantis_efs_id"]
    made = (
        sandbox(copied)
        .aws.client("backup")
        .start_backup_job(
            BackupVaultName=vault,
            ResourceArn=f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:file-system/{system}",
            IamRoleArn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
        )
    )
    return made["RecoveryPointArn"]


class Fargate(threading.Thread):
    """Runs the tasks of no service: the command of their container, in the directory that it mounts, with this machine's programs."""

    def __init__(self, copied: Clone) -> None:
        super().__init__(daemon=True)
        self._sandbox, self.ended = sandbox(copied), threading.Event()

    def run(self) -> None:
        ecs, cluster = self._sandbox.aws.client("ecs"), "atlantis-prod"
        while not self.ended.wait(0.2):
            for arn in ecs.list_tasks(cluster=cluster, family="atlantis-prod-restore")["taskArns"]:
                (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
                definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
                container = definition["containerDefinitions"][0]
                (volume,) = (each for each in definition["volumes"] if "efsVolumeConfiguration" in each)
                assert {
                    each["containerPath"] for each in container["mountPoints"] if each["sourceVolume"] == volume["name"]
                } == {container["workingDirectory"]}
                mounted = self._sandbox.state / "efs" / volume["efsVolumeConfiguration"]["fileSystemId"]
                subprocess.run([*container["entryPoint"], *container["command"]], cwd=mounted, check=True)
                ecs.stop_task(cluster=cluster, task=arn)


@pytest.fixture
def fargate(deployed: Clone) -> Iterator[None]:
    thread = Fargate(deployed)
    thread.start()
    yield
    thread.ended.set()
    thread.join()


@pytest.mark.usefixtures("fargate")
def test_a_plan_is_applied_after_the_data_directory_was_lost_and_restored(deployed: Clone, tmp_path: Path) -> None:
    number = pull_request(deployed, tmp_path / "change")
    system = sandbox(deployed).outputs()["atlantis_efs_id"]
    unprepared = deployed.run("make restore-check STACK=prod")
    assert (unprepared.returncode, "has no recovery point" in unprepared.stdout) == (2, True), unprepared.stderr
    back_up(deployed, "aws/efs/automatic-backup-vault")
    denied = deployed.run("make restore-check STACK=prod")
    assert "not usable: the policy of the vault aws/efs/automatic-backup-vault denies restores" in denied.stdout
    assert "  usable" in deployed.follow("Prepare restores")

    data = deployed.scratch.state / "efs" / system / "atlantis-data"
    kept = sorted(str(path.relative_to(data)) for path in data.rglob("*.tfplan"))
    service_of(sandbox(deployed)).stop_processes(10)
    for entry in data.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert "The data directory is restored" in deployed.follow("Restore the data directory")

    assert sorted(str(path.relative_to(data)) for path in data.rglob("*.tfplan")) == kept != []
    assert "Apply complete! Resources: 1 added" in apply(deployed, number)


def test_an_upgrade_and_the_way_back_keep_an_unapplied_plan(deployed: Clone, tmp_path: Path) -> None:
    number = pull_request(deployed, tmp_path / "change")
    old, new = (f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/atlantis:{tag}" for tag in ("v0.47.1", "v0.47.1-1"))
    deployed.run("pulumi config set atlantis:imageTag v0.47.1-1 --stack prod")
    missing = deployed.run("make upgrade-check STACK=prod")
    assert (missing.returncode, f"next      docker push {new}" in missing.stdout) == (2, True), missing.stdout
    registry.push(service_of(sandbox(deployed)), EcrImage(ACCOUNT, REGION, "atlantis", "v0.47.1-1", None), "v0.47.1-1")

    deployed.run("pulumi config set atlantis:backupRetentionDays 14 --stack prod")
    said = deployed.follow("Upgrade the server")
    for line in (
        f"runs      {old}, task definition ",
        "pinned    v0.47.1-1",
        "image     atlantis:v0.47.1-1 in account",
        "server    v0.47.1 in both: flags and rules stay the same",
        "back      pulumi config set atlantis:imageTag v0.47.1 --stack prod, and deploy",
    ):
        assert line in said, said
    assert image_of(deployed) == new
    point = back_up(deployed, "atlantis-prod")
    assert f"{point}  usable" in deployed.run("make restore-check STACK=prod").stdout
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox(deployed).aws.client("backup").delete_recovery_point(
            BackupVaultName="atlantis-prod", RecoveryPointArn=point
        )
    deployed.follow("Go back to the last server")
    assert image_of(deployed) == old
    assert "Apply complete! Resources: 1 added" in apply(deployed, number)


def test_a_second_stack_takes_over_from_the_first(deployed: Clone, tmp_path: Path) -> None:
    deployed.follow("Move to another region, account, VPC or name")
    assert [process.name for process in service_of(sandbox(deployed)).processes()] == []
    number = pull_request(deployed, tmp_path / "change", "moved")
    assert "Apply complete! Resources: 1 added" in apply(deployed, number, "moved")


@needs("redis-server")
def test_a_plan_is_applied_after_its_lock_was_lost_and_restored(deployed: Clone, tmp_path: Path) -> None:
    """The stack that the second one has replaced serves once more, with Redis."""
    for setting in ("lockingDatabase redis", "desiredCount 1"):
        deployed.run(f"pulumi config set atlantis:{setting} --stack prod")
    assert deployed.run("make up STACK=prod").returncode == 0
    number = pull_request(deployed, tmp_path / "change")
    cache = sandbox(deployed).aws.client("elasticache")
    cache.create_snapshot(
        SnapshotName="automatic.atlantis-prod-001-2026-12-01-05-00", ReplicationGroupId="atlantis-prod"
    )
    assert (
        "atlantis-prod-001-2026-12-01-05-00  usable as a copy" in deployed.run("make restore-check STACK=prod").stdout
    )

    deployed.follow("Restore the locks of Redis")
    assert [each["SnapshotName"] for each in cache.describe_snapshots()["Snapshots"]] == ["atlantis-prod-restore"]
    locks = json.loads(entrance(service_of(sandbox(deployed))).request("GET", "/api/locks").body)["Locks"]
    assert [lock["PullID"] for lock in locks] == [number]
    assert "Apply complete! Resources: 1 added" in apply(deployed, number)


def test_an_uninstalled_stack_leaves_keys_until_their_deletion(deployed: Clone) -> None:
    keys = [item["id"] for item in sandbox(deployed).resources() if item["type"] == "aws:kms/key:Key"]
    said = deployed.follow("Uninstall")
    assert sandbox(deployed).resources() == []
    remaining = re.findall(r"^arn:aws:(\S+)  deleted on \d{4}-\d\d-\d\d$", said, re.MULTILINE)
    assert {name.rpartition("/")[2] for name in remaining} == {*keys} != set()
    kept = [line for line in said.splitlines() if line.startswith("arn:") and "  deleted on " not in line]
    assert [line for line in kept if not re.match(r"arn:aws:ecs:\S+  inactive: ECS keeps its record$", line)] == []
