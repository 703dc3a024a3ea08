"""AWS Backup's recovery points of file systems, and restores into an existing file system.

As on AWS, a restore never overwrites a file: it creates a directory `aws-backup-restore_<time>` in the file system's root
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html). The policy of EFS' vault for automatic backups denies
restores until somebody replaces it.
"""

import json
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region
from ministack.services import backup

from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.iam_evaluation import service_models, wire
from sandbox.testbed.local_aws.refusals.errors import error_answer
from sandbox.testbed.paths import private_directory

__all__ = ["AUTOMATIC_VAULT", "install"]

AUTOMATIC_VAULT: Final = "aws/efs/automatic-backup-vault"
_DENIED = (
    *("DeleteBackupVault", "DeleteBackupVaultAccessPolicy", "DeleteRecoveryPoint", "StartCopyJob", "StartRestoreJob"),
    "UpdateRecoveryPointLifecycle",
)
_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": [f"backup:{action}" for action in _DENIED],
            "Resource": "*",
        }
    ],
}
"""What the vault has when EFS creates it."""


def install(state: Path) -> None:
    """Install the calls. Must be called in ministack's process; `state` has the directories of the file systems."""
    backup.handle_request = _before(backup.handle_request, _Points(state))


def _before(own: Callable[..., Awaitable[Any]], points: "_Points") -> Callable[..., Awaitable[Any]]:
    calls = {
        "DescribeRestoreJob": points.restore_job,
        "GetBackupVaultAccessPolicy": points.policy,
        "ListRecoveryPointsByResource": points.of_resource,
        "PutBackupVaultAccessPolicy": points.put_policy,
        "StartBackupJob": points.back_up,
        "StartRestoreJob": points.restore,
    }

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        called = service_models.operation_of_request("backup", method, path, headers, query)
        name = str(called.name) if called else ""
        if name not in calls:
            return await own(method, path, headers, body, query)
        asked = wire.parameters_of(wire.HttpRequest("backup", query, body, method, path, headers), name)
        if asked.get("BackupVaultName", AUTOMATIC_VAULT) != AUTOMATIC_VAULT:
            return await own(method, path, headers, body, query)
        try:
            answer = calls[name](asked)
        except _RefusedError as refused:
            return error_answer(called, *refused.args)
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    return handle


class _RefusedError(Exception):
    """The code and the message of AWS' error."""


class _Points:
    def __init__(self, state: Path) -> None:
        self._systems, self._records = state / "efs", state / "backup"

    def policy(self, _asked: Mapping[str, Any]) -> dict[str, Any]:
        found = read_json(self._records / "policy.json") or _POLICY
        return {"BackupVaultName": AUTOMATIC_VAULT, "Policy": json.dumps(found)}

    def put_policy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        write_json(private_directory(self._records) / "policy.json", json.loads(asked["Policy"]))
        return {}

    def back_up(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Copy the file system: AWS' daily plan makes the same call."""
        identity = str(uuid.uuid4())
        arn = f"arn:aws:backup:{get_region()}:{get_account_id()}:recovery-point:{identity}"
        data = private_directory(self._records / identity) / "data"
        _copy(private_directory(self._systems / asked["ResourceArn"].rpartition("/")[2]), data)
        point = {
            "RecoveryPointArn": arn,
            "CreationDate": time.time(),
            "Status": "COMPLETED",
            "BackupVaultName": AUTOMATIC_VAULT,
            "BackupSizeBytes": sum(path.stat().st_size for path in data.rglob("*") if path.is_file()),
        }
        write_json(data.with_name("point.json"), {**point, "resource": asked["ResourceArn"]})
        return {"BackupJobId": identity, "RecoveryPointArn": arn, "CreationDate": point["CreationDate"]}

    def of_resource(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = [json.loads(file.read_bytes()) for file in self._records.glob("*/point.json")]
        return {"RecoveryPoints": [point for point in found if point.pop("resource") == asked["ResourceArn"]]}

    def restore(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        denied = json.loads(self.policy({})["Policy"])["Statement"]
        if any("backup:StartRestoreJob" in statement["Action"] for statement in denied):
            raise _RefusedError("AccessDeniedException", "Insufficient privileges to perform this action.")
        data = self._records / asked["RecoveryPointArn"].rpartition(":")[2] / "data"
        if not data.is_dir():
            raise _RefusedError("ResourceNotFoundException", f"Cannot find recovery point {asked['RecoveryPointArn']}")
        metadata = asked["Metadata"]
        if metadata.get("newFileSystem") != "false":
            raise _RefusedError(
                "InvalidParameterValueException", "the local AWS restores into existing file systems only"
            )
        system = private_directory(self._systems / metadata["file-system-id"])
        _copy(data, system / f"aws-backup-restore_{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%fZ}")
        job = str(uuid.uuid4())
        write_json(self._records / f"{job}.json", {"RestoreJobId": job, "Status": "COMPLETED"})
        return {"RestoreJobId": job}

    def restore_job(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return read_json(self._records / f"{asked['RestoreJobId']}.json") or {}


def _copy(source: Path, target: Path) -> None:
    """Copy a directory with the owners of its files."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
