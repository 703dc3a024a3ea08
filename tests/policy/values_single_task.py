"""Values of the properties for single-task."""

from typing import Any, Final

from tests.policy.rows import Row, values
from tests.policy.rows_operations import containers
from tests.policy.servicer import UNKNOWN, Planned

SERVICE: Final = "aws:ecs/service:Service"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"

_COMPUTED: Final = ("deploymentController", "deploymentConfiguration")


def writer(*more: Planned, definitions: str = UNKNOWN) -> tuple[Planned, ...]:
    """A service that writes to EFS under a file lock, as it should be."""
    service = {
        "name": "atlantis",
        "taskDefinition": UNKNOWN,
        "desiredCount": 1,
        "deploymentMaximumPercent": 100,
        "deploymentMinimumHealthyPercent": 0,
        "availabilityZoneRebalancing": "DISABLED",
    }
    volume = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": UNKNOWN, "transitEncryption": "ENABLED"}}
    return (
        # As if each came from an output, so that an unknown one is the author's and not one that AWS will choose.
        Planned(SERVICE, "service", service, dict.fromkeys((*service, *_COMPUTED), ("task",))),
        Planned(
            TASK,
            "task",
            {"volumes": [volume], "containerDefinitions": definitions},
            {"volumes": ("fs",), "containerDefinitions": ("fs", "redis")},
        ),
        Planned("aws:efs/fileSystem:FileSystem", "fs", {"id": "fs-1", "encrypted": True}),
        *more,
    )


_SCALING: Final = Planned(
    "aws:appautoscaling/target:Target", "scaling", {"resourceId": "service/cluster/atlantis", "maxCapacity": 1}
)
_SECOND: Final = (
    Planned(SERVICE, "second", {"taskDefinition": "arn:second", "desiredCount": 1}),
    Planned(
        TASK,
        "second-task",
        {
            "arn": "arn:second",
            "containerDefinitions": UNKNOWN,
            "volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-2"}}],
        },
    ),
)


def _single(check: str, path: str, bad: Any, *more: Planned, **expected: Any) -> tuple[Row, ...]:
    return values(f"single-task/{check}", writer(*more), path, bad, **expected)


_ENUM: Final[dict[str, Any]] = {"absent": None}

SINGLE_TASK_VALUES: Final = (
    _single("desired-count", "desiredCount", 2, absent="nothing", malformed="nothing"),
    _single("desired-count", "schedulingStrategy", "DAEMON", absent=None, unknown="nothing", malformed="nothing"),
    _single("maximum-percent", "deploymentMaximumPercent", 200),
    _single("minimum-healthy", "deploymentMinimumHealthyPercent", 50),
    _single("rolling", "deploymentController.type", "CODE_DEPLOY", **_ENUM),
    _single("rolling", "deploymentController.type", "EXTERNAL", **_ENUM),
    _single("rolling", "deploymentConfiguration.strategy", "BLUE_GREEN", **_ENUM),
    _single("rolling", "deploymentConfiguration.strategy", "CANARY", **_ENUM),
    _single(
        "rebalancing",
        "availabilityZoneRebalancing",
        "ENABLED",
        absent="nothing",
        unknown="nothing",
        malformed="nothing",
    ),
    _single("autoscaling", "maxCapacity", 4, _SCALING, target="scaling", absent="nothing", malformed="nothing"),
    _single(
        "file-system",
        "volumes[0].efsVolumeConfiguration.fileSystemId",
        "fs-1",
        *_SECOND,
        target="second-task",
        reported="second",
        absent="nothing",
        unknown="nothing",
        malformed="nothing",
    ),
    values(
        "single-task/task-definition",
        (
            Planned(SERVICE, "service", {"taskDefinition": "arn:task"}),
            Planned(TASK, "task", {"arn": "arn:task", "containerDefinitions": containers()}),
        ),
        "taskDefinition",
        "arn:elsewhere",
        absent="nothing",
        unknown="violation",
        configuration={"unknowns": "mandatory"},
    ),
    values(
        "single-task/lock",
        (*writer(definitions=containers()), Planned("aws:elasticache/replicationGroup:ReplicationGroup", "redis", {})),
        "containerDefinitions",
        UNKNOWN,
        target="task",
        absent="nothing",
        unknown="violation",
        malformed="nothing",
        configuration={"unknowns": "mandatory"},
    ),
)
