"""The volumes of a task: directories of the state folder for EFS, and of the task's own folder for its bind mounts."""

from pathlib import Path

from botocore.exceptions import ClientError

from sandbox.testbed.containers.container_definition import EfsVolume, TaskDefinition
from sandbox.testbed.containers.deployed_service import DeployedService, refusal
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.paths import private_directory


def efs_volumes(deployment: DeployedService, definition: TaskDefinition) -> dict[str, Path]:
    """The directories of the EFS volumes by name; raises ``TaskStartError`` if a file system can't be mounted."""
    return {name: _mount(deployment, name, volume) for name, volume in definition.volumes.items() if volume}


def own_volumes(definition: TaskDefinition, root: Path) -> dict[str, Path]:
    """Create the volumes on the task's disk below ``root``. Fargate creates them empty and, unless the image says otherwise, as root's."""
    directories = {name: private_directory(root / name) for name, volume in definition.volumes.items() if not volume}
    for directory in directories.values():
        directory.chmod(0o755)
    return directories


def _mount(deployment: DeployedService, name: str, volume: EfsVolume) -> Path:
    client = deployment.client("efs")
    root = "/"
    try:
        targets = client.describe_mount_targets(FileSystemId=volume.file_system)["MountTargets"]
        if volume.access_point:
            points = client.describe_access_points(AccessPointId=volume.access_point)["AccessPoints"]
            root = points[0]["RootDirectory"]["Path"]
            if points[0]["FileSystemId"] != volume.file_system:
                raise TaskStartError(
                    f"access point {volume.access_point} belongs to another file system than {volume.file_system}"
                )
    except ClientError as problem:
        raise TaskStartError(f"volume {name} can't be mounted: {refusal(problem)}") from problem
    if not targets:
        raise TaskStartError(f"volume {name} can't be mounted: {volume.file_system} has no mount target yet")
    return private_directory(deployment.state / "efs" / volume.file_system / root.lstrip("/"))
