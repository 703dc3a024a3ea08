"""docs/runbooks.md, followed in the sandbox with production's settings and the real server."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.sandbox import Sandbox
from sandbox.testbed.local_aws.recovery_points import AUTOMATIC_VAULT
from tests.needs import needs
from tests.sandbox.atlantis.served import service_of
from tests.sandbox.clone import Clone, clone

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
    made.ground.stop()


def sandbox(copied: Clone) -> Sandbox:
    return copied.ground.with_server()


def pull_request(copied: Clone, folder: Path) -> str:
    """Open a pull request with a plan; its number."""
    folder.mkdir()
    (folder / "main.tf").write_text('resource "terraform_data" "release" {}\n', encoding="utf-8")
    opened = copied.run(f"make pr STACK=prod FROM={folder}")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in opened.stdout, opened.stdout + opened.stderr
    return re.findall(r"NUMBER=(\d+)", opened.stderr)[0]


def apply(copied: Clone, number: str) -> str:
    return copied.run(f"make pr STACK=prod NUMBER={number} APPROVE=1 COMMENT='atlantis apply' MERGE=1").stdout


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
    arn = f"arn:aws:elasticfilesystem:ap-northeast-2:123456789012:file-system/{system}"
    unprepared = deployed.run("make restore-check STACK=prod")
    assert (unprepared.returncode, "has no recovery point" in unprepared.stdout) == (2, True), unprepared.stderr
    backup = sandbox(deployed).aws.client("backup")
    role = "arn:aws:iam::123456789012:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
    backup.start_backup_job(BackupVaultName=AUTOMATIC_VAULT, ResourceArn=arn, IamRoleArn=role)
    denied = deployed.run("make restore-check STACK=prod")
    assert "not usable: the policy of the vault aws/efs/automatic-backup-vault denies restores" in denied.stdout
    assert "  usable" in deployed.follow("Prepare restores")

    data = deployed.ground.state / "efs" / system / "atlantis-data"
    kept = sorted(str(path.relative_to(data)) for path in data.rglob("*.tfplan"))
    service_of(sandbox(deployed)).stop_processes(10)
    for entry in data.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert "The data directory is restored" in deployed.follow("Restore the data directory")

    assert sorted(str(path.relative_to(data)) for path in data.rglob("*.tfplan")) == kept != []
    assert "Apply complete! Resources: 1 added" in apply(deployed, number)
