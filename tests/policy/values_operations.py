"""Values of the properties for the policies about running: containers, secrets, logging, recovery, required-tags."""

import json
from typing import Any, Final

from tests.policy.rows import NOT_JSON, Row, values
from tests.policy.servicer import UNKNOWN, Planned

SERVICE: Final = "aws:ecs/service:Service"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
_DOCUMENT: Final[dict[str, Any]] = {"absent": "nothing", "malformed_value": NOT_JSON}

CONTAINER: Final[dict[str, Any]] = {
    "name": "atlantis",
    "image": "ghcr.io/runatlantis/atlantis:v0.47.1",
    "user": "100:1000",
    "readonlyRootFilesystem": True,
    "environment": [{"name": "ATLANTIS_PORT", "value": "4141"}],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
    "logConfiguration": {"logDriver": "awslogs"},
}


def containers(**changes: Any) -> str:
    """Container definitions with one container that is fine but for the changes; None leaves a key out."""
    merged = {**CONTAINER, **changes}
    return json.dumps([{key: value for key, value in merged.items() if value is not None}])


def _task(check: str, **changes: Any) -> tuple[Row, ...]:
    """A task definition that is fine, against one whose container has these changes."""
    task = Planned(TASK, "it", {"containerDefinitions": containers()})
    undecided = "undecided" if check.endswith(("plain-environment", "container-logs")) else "nothing"
    return values(
        check,
        (task,),
        "containerDefinitions",
        containers(**changes),
        unknown=undecided,
        malformed=undecided,
        **_DOCUMENT,
    )


def _one(check: str, token: str, path: str, /, good: Any, bad: Any, **expected: Any) -> tuple[Row, ...]:
    name, _, inner = path.partition(".")
    resource = Planned(token, "it", {name: {inner: good} if inner else good}, {name: ("elsewhere",)})
    return values(check, (resource,), path, bad, **expected)


_SILENT: Final[dict[str, Any]] = {"absent": "nothing", "unknown": "nothing", "malformed": "nothing"}
_ECR: Final = Planned(
    "aws:ecr/repository:Repository",
    "it",
    {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}},
)

CONTAINER_VALUES: Final = (
    _task("containers/host-isolation", privileged=True),
    _task("containers/read-only-root", readonlyRootFilesystem=False),
    _task("logging/container-logs", logConfiguration=None),
    _one("containers/host-isolation", TASK, "networkMode", "awsvpc", "host", **_SILENT),
    values(
        "containers/separate-roles",
        (Planned(TASK, "it", {"executionRoleArn": "arn:a", "taskRoleArn": "arn:b"}),),
        "taskRoleArn",
        "arn:a",
        **_SILENT,
    ),
    _one("containers/platform-version", SERVICE, "platformVersion", "LATEST", "1.3.0", **_SILENT),
    values("containers/immutable-tags", (_ECR,), "imageTagMutability", "MUTABLE"),
    values("supporting-resources/scan-on-push", (_ECR,), "imageScanningConfiguration.scanOnPush", bad=False),
    values(
        "containers/task-content",
        (Planned(TASK, "it", {"containerDefinitions": containers()}),),
        "containerDefinitions",
        UNKNOWN,
        absent="nothing",
        unknown="violation",
        malformed_value=NOT_JSON,
        configuration={"unknowns": "mandatory"},
    ),
)

SECRET_VALUES: Final = (
    _one(
        "secrets/plain-environment",
        "aws:lambda/function:Function",
        "environment.variables",
        {"STAGE": "prod"},
        {"API_TOKEN": "abc"},
        absent="nothing",
        malformed="nothing",
    ),
    _one("secrets/stack-output", "pulumi:pulumi:Stack", "adminPassword", "arn:aws:secretsmanager:x", "abc", **_SILENT),
    _one(
        "secrets/managed-password",
        "aws:rds/instance:Instance",
        "password",
        None,
        "abc",
        absent="nothing",
        unknown="violation",
    ),
    values(
        "secrets/plain-parameter",
        (Planned("aws:ssm/parameter:Parameter", "github-token", {"type": "SecureString", "value": "abc"}),),
        "type",
        "String",
        **_SILENT,
    ),
    values(
        "secrets/rotation",
        (
            Planned("aws:secretsmanager/secret:Secret", "it", {"arn": "arn:s"}),
            Planned("aws:secretsmanager/secretRotation:SecretRotation", "rotation", {"secretId": "arn:s"}),
        ),
        "secretId",
        "arn:another",
        target="rotation",
        reported="it",
        unknown="violation",
    ),
)

LOGGING_VALUES: Final = (
    _one("logging/retention", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 7, 3),
    _one("logging/retention", "aws:cloudwatch/logGroup:LogGroup", "retentionInDays", 30, 0),
    _one(
        "logging/container-insights",
        "aws:ecs/cluster:Cluster",
        "settings",
        [{"name": "containerInsights", "value": "enhanced"}],
        [{"name": "containerInsights", "value": "disabled"}],
    ),
)

_BUCKET: Final = (
    Planned("aws:s3/bucket:Bucket", "bucket", {"bucket": "b", "forceDestroy": False}),
    Planned(
        "aws:s3/bucketVersioning:BucketVersioning",
        "versioning",
        {"bucket": "b", "versioningConfiguration": {"status": "Enabled"}},
    ),
)
_BACKUP: Final = (
    Planned("aws:efs/fileSystem:FileSystem", "fs", {"id": "fs-1"}),
    Planned(
        "aws:efs/backupPolicy:BackupPolicy", "backup", {"fileSystemId": "fs-1", "backupPolicy": {"status": "ENABLED"}}
    ),
)

RECOVERY_VALUES: Final = (
    values("recovery/deletion-protection", _BUCKET, "forceDestroy", bad=True, **_SILENT),
    _one("recovery/backup", "aws:rds/instance:Instance", "backupRetentionPeriod", 7, 1),
    values(
        "recovery/backup", _BACKUP, "backupPolicy.status", "DISABLED", target="backup", reported="fs", unknown="nothing"
    ),
    values(
        "recovery/versioning",
        _BUCKET,
        "versioningConfiguration.status",
        "Suspended",
        target="versioning",
        reported="bucket",
        unknown="nothing",
    ),
    _one(
        "recovery/deletion-window",
        "aws:secretsmanager/secret:Secret",
        "recoveryWindowInDays",
        30,
        0,
        absent="nothing",
        malformed="nothing",
    ),
)

TAG_VALUES: Final = (
    values(
        "required-tags/tags",
        (Planned("aws:efs/fileSystem:FileSystem", "it", {"tags": {"Environment": "prod", "Owner": "platform"}}),),
        "tags",
        {},
    ),
)

OPERATIONS_VALUES: Final = (*CONTAINER_VALUES, *SECRET_VALUES, *LOGGING_VALUES, *RECOVERY_VALUES, *TAG_VALUES)
