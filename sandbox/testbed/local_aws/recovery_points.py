"""AWS Backup's recovery points of file systems, the policies of their vaults, and restores into an existing file system.

As on AWS, a restore never overwrites a file: it creates a directory `aws-backup-restore_<time>` in the file system's root
(https://docs.aws.amazon.com/aws-backup/latest/devguide/restoring-efs.html). The policy of EFS' vault for automatic backups denies
restores until somebody replaces it.
"""

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import backup

from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.iam_evaluation import service_models, wire
from sandbox.testbed.local_aws.facts import FACTS
from sandbox.testbed.local_aws.refusals.errors import error_answer
from sandbox.testbed.paths import private_directory


def install(state: Path) -> None:
    """Install the calls. Must be called in ministack's process; `state` has the directories of the file systems."""
    backup.handle_request = _before(backup.handle_request, _Points(state))


def _before(own: Callable[..., Awaitable[Any]], points: "_Points") -> Callable[..., Awaitable[Any]]:
    calls = {
        "DeleteBackupVaultAccessPolicy": points.delete_policy,
        "DeleteRecoveryPoint": points.delete,
        "DescribeRestoreJob": points.restore_job,
        "ListRecoveryPointsByBackupVault": points.of_vault,
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

    def policy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        vault = asked["BackupVaultName"]
        found = self._document(vault)
        if found is None:
            raise _RefusedError("ResourceNotFoundException", f"Backup vault {vault} has no access policy")
        arn = f"arn:aws:backup:{get_region()}:{get_account_id()}:backup-vault:{vault}"
        return {"BackupVaultName": vault, "BackupVaultArn": arn, "Policy": json.dumps(found)}

    def _document(self, vault: str) -> dict[str, Any] | None:
        return read_json(self._policy(vault)) or FACTS["vault_policies"].get(vault)

    def put_policy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        write_json(self._policy(asked["BackupVaultName"]), json.loads(asked["Policy"]))
        return {}

    def delete_policy(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._policy(asked["BackupVaultName"]).unlink(missing_ok=True)
        return {}

    def _policy(self, vault: str) -> Path:
        return private_directory(self._records / "policies") / f"{vault.replace('/', '_')}.json"

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
            "BackupVaultName": asked["BackupVaultName"],
            "BackupSizeBytes": sum(path.stat().st_size for path in data.rglob("*") if path.is_file()),
        }
        write_json(data.with_name("point.json"), {**point, "resource": asked["ResourceArn"]})
        return {"BackupJobId": identity, "RecoveryPointArn": arn, "CreationDate": point["CreationDate"]}

    def of_resource(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"RecoveryPoints": [point for point in self._all() if point.pop("resource") == asked["ResourceArn"]]}

    def of_vault(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = [point for point in self._all() if point["BackupVaultName"] == asked["BackupVaultName"]]
        return {"RecoveryPoints": [{**point, "ResourceArn": point.pop("resource")} for point in found]}

    def _all(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_bytes()) for file in self._records.glob("*/point.json")]

    def _find(self, asked: Mapping[str, Any], action: str) -> Path:
        """The directory of a recovery point, if the policy of its vault doesn't deny the action."""
        folder = self._records / asked["RecoveryPointArn"].rpartition(":")[2]
        point = read_json(folder / "point.json")
        if not point:
            raise _RefusedError("ResourceNotFoundException", f"Cannot find recovery point {asked['RecoveryPointArn']}")
        policy = self._document(point["BackupVaultName"]) or {"Statement": []}
        if any(f"backup:{action}" in statement["Action"] for statement in policy["Statement"]):
            raise _RefusedError("AccessDeniedException", "Insufficient privileges to perform this action.")
        return folder

    def delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        shutil.rmtree(self._find(asked, "DeleteRecoveryPoint"))
        return {}

    def restore(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        data = self._find(asked, "StartRestoreJob") / "data"
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
