"""Check the recovery points of the stack's file system and the snapshots of its Redis, or restore a point into the data directory.

Without --recovery-point, nothing is changed: each one is usable, or the table has the reason. With it, AWS Backup restores the
point into a new directory of the file system, and a task moves what it contains into the data directory, whose contents it replaces:
no API returns the name of the new directory, and a setting with it would name an old restore forever.
docs/runbooks.md has the steps before and after.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from preflight.aws import listed
from preflight.deployment import Deployment
from preflight.errors import FailedError
from preflight.printed import parser, print_document, say

USABLE = ("AVAILABLE", "COMPLETED")
"""The statuses of a recovery point whose backup has ended successfully:
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRecoveryPoint.html."""
_DEFAULT_ROLE = "service-role/AWSBackupDefaultServiceRole"
"""The role that the console of AWS Backup creates."""
LATE_HOURS = 48
_USABLE = "usable"
_POLL_SECONDS = 5.0
_KEPT = (
    *("networkMode", "requiresCompatibilities", "runtimePlatform", "cpu", "memory"),
    *("executionRoleArn", "taskRoleArn", "volumes"),
)
# In the file system's root, to which the server's user can't write. Backups contain the directories of earlier restores too.
_MOVE = """\
restored=$(ls -d aws-backup-restore_* | tail -n 1)
[ -d "$restored" ]
for from in "$restored"/*; do
    case "$from" in */aws-backup-restore_*) continue ;; esac
    to="${from#*/}"
    find "$to" -mindepth 1 -delete
    cp -a "$from/." "$to/"
    find "$from" -mindepth 1 -delete
done"""


@dataclass(frozen=True)
class Restore:
    """The recovery points of one deployment's data directory."""

    deployment: Deployment

    @cached_property
    def _definition(self) -> dict[str, Any]:
        """The service's task definition."""
        base = self.deployment.names.base
        found = self.deployment.aws.find(
            "ecs", "describe_task_definition", absent=("ClientException",), taskDefinition=base
        )
        if found is None:
            raise FailedError(
                f"the task definition {base} doesn't exist", "deploy the stack, and run the command again"
            )
        return found["taskDefinition"]

    @cached_property
    def _volume(self) -> dict[str, Any]:
        return next(
            volume["efsVolumeConfiguration"]
            for volume in self._definition["volumes"]
            if "efsVolumeConfiguration" in volume
        )

    @property
    def _role(self) -> str:
        names, retention = self.deployment.names, self.deployment.settings.storage.backup_retention_days
        return names.role_arn(names.backup_role if retention else _DEFAULT_ROLE)

    def _points(self, file_system: str) -> list[tuple[dict[str, Any], str]]:
        """The recovery points of a file system, the newest first, each with the reason why it isn't usable, or ""."""
        arn = self.deployment.names.arn("elasticfilesystem", f"file-system/{file_system}")
        found = self.deployment.aws.read("backup", "list_recovery_points_by_resource", ResourceArn=arn)
        newest_first = sorted(found["RecoveryPoints"], key=lambda point: point["CreationDate"], reverse=True)
        return [(point, next(self._reasons(point), "")) for point in newest_first]

    def check(self, file_system: str | None) -> tuple[str, bool]:
        """The table of the recovery points, with Redis also of its snapshots, and whether one of each is usable."""
        identity = file_system or self._volume["fileSystemId"]
        tables = [
            _table(
                f"{identity} has no recovery point. The first backup of a new file system takes up to a day",
                [
                    (
                        point["CreationDate"],
                        f"{point.get('BackupSizeBytes', 0) / 2**20:7.1f} MiB  {point['RecoveryPointArn']}",
                        f"not usable: {reason}" if reason else _USABLE,
                    )
                    for point, reason in self._points(identity)
                ],
            )
        ]
        if self.deployment.settings.storage.uses_redis:
            base = self.deployment.names.base
            tables.append(
                _table(
                    f"the replication group {base} has no snapshot. The first one takes up to a day",
                    self._snapshots(base),
                )
            )
        return "\n".join(text for text, _ in tables), all(usable for _, usable in tables)

    def _snapshots(self, group: str) -> list[tuple[datetime, str, str]]:
        """The rows of a group's snapshots; the filter of the call would find none of a lost group."""
        found = self.deployment.aws.read("elasticache", "describe_snapshots")["Snapshots"]
        return [
            (
                snapshot["NodeSnapshots"][0]["SnapshotCreateTime"],
                f"{snapshot['NodeSnapshots'][0]['CacheSize']:>11}  {snapshot['SnapshotName']}",
                next(self._verdicts(snapshot)),
            )
            for snapshot in found
            if snapshot.get("ReplicationGroupId") == group and snapshot["NodeSnapshots"]
        ]

    def _verdicts(self, snapshot: Mapping[str, Any]) -> Iterator[str]:
        if snapshot["SnapshotStatus"] != "available":
            yield f"not usable: its status is {snapshot['SnapshotStatus']}; choose another one"
        for reason in self._key_reasons(snapshot.get("KmsKeyId")):
            yield f"not usable: {reason}"
        yield _USABLE if snapshot["SnapshotSource"] == "manual" else f"{_USABLE} as a copy (docs/runbooks.md)"

    def _key_reasons(self, key: str | None) -> Iterator[str]:
        if key:
            state = self.deployment.aws.read("kms", "describe_key", KeyId=key)["KeyMetadata"]["KeyState"]
            if state != "Enabled":
                yield f"its key is {state}; `aws kms cancel-key-deletion` and `aws kms enable-key` with {key}"

    def _reasons(self, point: Mapping[str, Any]) -> Iterator[str]:
        """Why a recovery point can't be restored, each with its fix."""
        aws, vault = self.deployment.aws, point["BackupVaultName"]
        if point["Status"] not in USABLE:
            yield f"its status is {point['Status']}; choose another one"
        policy = aws.find("backup", "get_backup_vault_access_policy", BackupVaultName=vault)
        if policy and _denies_restores(json.loads(policy["Policy"])):
            yield f"the policy of the vault {vault} denies restores; replace it (docs/runbooks.md)"
        yield from self._key_reasons(point.get("EncryptionKeyArn"))
        role = self._role.rpartition("/")[2]
        if aws.find("iam", "get_role", RoleName=role) is None:
            yield f"the role {role} doesn't exist; create it (docs/runbooks.md)"

    def restore(self, recovery_point: str) -> str:
        """Restore a recovery point into the data directory, and return what to do next."""
        self._require_stopped()
        if recovery_point == "newest":
            recovery_point = self._newest()
        metadata = {
            "file-system-id": self._volume["fileSystemId"],
            "newFileSystem": "false",
            "Encrypted": "true",
            "PerformanceMode": "generalPurpose",
            "CreationToken": f"restore-{time.time_ns()}",
        }
        job = self.deployment.aws.call(
            "backup", "start_restore_job", RecoveryPointArn=recovery_point, IamRoleArn=self._role, Metadata=metadata
        )
        say(f"AWS Backup restores the recovery point: job {job['RestoreJobId']}")
        ended = self._wait("backup", "describe_restore_job", _job_ended, RestoreJobId=job["RestoreJobId"])
        if ended["Status"] != "COMPLETED":
            raise FailedError(
                f"the restore ended with {ended['Status']}: {ended.get('StatusMessage', '')}", "see AWS' message"
            )
        self._move()
        return "The data directory is restored. Remove efsRootDirectory, set desiredCount to 1, and deploy"

    def _newest(self) -> str:
        usable = [point for point, reason in self._points(self._volume["fileSystemId"]) if not reason]
        if not usable:
            raise FailedError("no recovery point is usable", "make restore-check has the reasons")
        return usable[0]["RecoveryPointArn"]

    def _require_stopped(self) -> None:
        point = self._volume["authorizationConfig"]["accessPointId"]
        path = self.deployment.aws.call("efs", "describe_access_points", AccessPointId=point)["AccessPoints"][0][
            "RootDirectory"
        ]["Path"]
        if path != "/" or self._service["runningCount"]:
            raise FailedError(
                f"{self._service['runningCount']} tasks run, and the access point has the directory {path}",
                "set desiredCount to 0 and efsRootDirectory to /, and deploy, so that no server has the data directory open",
            )

    @property
    def _service(self) -> dict[str, Any]:
        return self.deployment.service(self.deployment.names.base)

    def _move(self) -> None:
        """Run a task that moves the newest restored directory into the data directory, as the server's user."""
        server = self._definition["containerDefinitions"][0]
        mounted = next(
            each["containerPath"]
            for each in server["mountPoints"]
            if any(
                volume["name"] == each["sourceVolume"] and "efsVolumeConfiguration" in volume
                for volume in self._definition["volumes"]
            )
        )
        container = {
            key: server[key] for key in ("name", "image", "user", "mountPoints", "logConfiguration") if key in server
        }
        container |= {
            "essential": True,
            "workingDirectory": mounted,
            "entryPoint": ["/bin/sh", "-ec"],
            "command": [_MOVE],
        }
        registered = self.deployment.aws.call(
            "ecs",
            "register_task_definition",
            family=f"{self.deployment.names.base}-restore",
            containerDefinitions=[container],
            **{key: self._definition[key] for key in _KEPT if key in self._definition},
        )["taskDefinition"]["taskDefinitionArn"]
        (task,) = self.deployment.aws.call(
            "ecs",
            "run_task",
            cluster=self.deployment.names.cluster,
            taskDefinition=registered,
            launchType="FARGATE",
            networkConfiguration=self._service["networkConfiguration"],
        )["tasks"]
        say(f"A task moves the files: {task['taskArn']}")
        ended = self._wait(
            "ecs", "describe_tasks", _task_ended, cluster=self.deployment.names.cluster, tasks=[task["taskArn"]]
        )["tasks"][0]
        self.deployment.aws.call("ecs", "deregister_task_definition", taskDefinition=registered)
        if ended["containers"][0].get("exitCode") != 0:
            raise FailedError(
                f"the task that moves the files has failed: {ended.get('stoppedReason', '')}",
                f"read its log (`aws logs tail {self.deployment.names.log_group}`), and run the command again",
            )

    def _wait(
        self, service: str, operation: str, ended: Callable[[Mapping[str, Any]], bool], **parameters: Any
    ) -> dict[str, Any]:
        while not ended(answer := self.deployment.aws.call(service, operation, **parameters)):
            time.sleep(_POLL_SECONDS)
        return answer


def _table(nothing: str, rows: list[tuple[datetime, str, str]]) -> tuple[str, bool]:
    """The lines of points in time, the newest first, and whether one is usable; `nothing` if there is none."""
    if not rows:
        return nothing, False
    rows.sort(reverse=True)
    lines = [f"{created.astimezone(UTC):%Y-%m-%d %H:%M} UTC  {what}  {verdict}" for created, what, verdict in rows]
    hours = (datetime.now(UTC) - rows[0][0]).total_seconds() / 3600
    if hours > LATE_HOURS:
        lines.append(f"warning: the newest one is {hours:.0f} hours old, and a backup is made every day")
    return "\n".join(lines), any(verdict.startswith(_USABLE) for *_, verdict in rows)


def _denies_restores(policy: Mapping[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and {"*", "backup:*", "backup:StartRestoreJob"} & {*listed(statement.get("Action"))}
        for statement in policy["Statement"]
    )


def _job_ended(job: Mapping[str, Any]) -> bool:
    return job["Status"] in ("COMPLETED", "ABORTED", "FAILED")


def _task_ended(answer: Mapping[str, Any]) -> bool:
    return answer["tasks"][0]["lastStatus"] == "STOPPED"


def main() -> int:
    """Run the command. Returns 0, 1 if no recovery point or no snapshot is usable, or 2 if a restore or a call to AWS fails."""
    options = parser("preflight.restore", __doc__)
    options.add_argument("--recovery-point", help="the ARN of the recovery point to restore")
    options.add_argument("--file-system", help="check the recovery points of this file system, such as a lost one")
    arguments = options.parse_args()

    def document(deployment: Deployment) -> str | tuple[str, bool]:
        restore, point = Restore(deployment), arguments.recovery_point
        return restore.restore(point) if point else restore.check(arguments.file_system)

    return print_document(arguments, document)


if __name__ == "__main__":
    sys.exit(main())
