"""Verdicts of single-task: which tasks keep a lock file, and what would start a second one."""

import json
from typing import Any, Final

from tests.policy.servicer import UNKNOWN, Planned
from tests.policy.verdicts import ACCOUNT, Verdict, allow, clean, document, fault, one

_ATLANTIS: Final = "ghcr.io/runatlantis/atlantis:v0.47.1"
_ARN: Final = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/app:3"
_MOUNT: Final = {"sourceVolume": "data", "containerPath": "/data"}
_GOOD: Final = {"desiredCount": 1, "deploymentMaximumPercent": 100, "deploymentMinimumHealthyPercent": 0}


def _efs(access_point: Any = None, system: str = "fs-1", **more: Any) -> dict[str, Any]:
    inside = {"authorizationConfig": {"accessPointId": access_point}} if access_point else {}
    return {
        "name": "data",
        "efsVolumeConfiguration": {"fileSystemId": system, "transitEncryption": "ENABLED", **inside, **more},
    }


def _task(
    label: str = "task", /, image: str = _ATLANTIS, volume: Any = None, family: str = "app", **container: Any
) -> Planned:
    definition = {"name": "main", "image": image, "mountPoints": [_MOUNT], **container}
    return one(
        *("ecs/taskDefinition", label),
        family=family,
        arn=_ARN.replace("app", family),
        volumes=[volume or _efs()],
        containerDefinitions=json.dumps([definition]),
    )


def _service(label: str = "service", /, task: Any = _ARN, **properties: Any) -> Planned:
    given = {"name": label, "cluster": "ci", "taskDefinition": task, **_GOOD, **properties}
    return one("ecs/service", label, **given)


def _two(label: str, found: bool, task: Planned, /, **service: Any) -> Verdict:
    """A service of two tasks: a fault where the task keeps a lock file."""
    row = fault if found else clean
    return row("single-task", "desired-count", label, _service(desiredCount=2, **service), task)


_UNREADABLE: Final = one(
    *("ecs/taskDefinition", "task"), family="app", arn=_ARN, volumes=[_efs()], containerDefinitions=UNKNOWN
)
_NAMED: Final = one(
    *("ecs/taskDefinition", "task"), family="atlantis-prod", arn=_ARN, volumes=[_efs()], containerDefinitions=UNKNOWN
)

SERVERS: Final[tuple[Verdict, ...]] = (
    _two("atlantis", True, _task()),
    _two(
        "atlantis of one's own registry",
        True,
        _task(image=f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/tools/atlantis@sha256:{'0' * 64}"),
    ),
    _two("jenkins", True, _task(image="jenkins/jenkins:lts-jdk21")),
    _two("prometheus", True, _task(image="prom/prometheus:v3.5.0")),
    _two(
        "image of any name with the server's variables",
        True,
        _task(image="tools/ci:1", environment=[{"name": "ATLANTIS_REPO_ALLOWLIST", "value": "github.com/acme/*"}]),
    ),
    _two(
        "image of any name with the server's command", True, _task(image="tools/ci:1", command=["atlantis", "server"])
    ),
    _two("wordpress", False, _task(image="wordpress:6.8")),
    _two(
        "web server with its address",
        False,
        _task(image="nginx:1.29", environment=[{"name": "ATLANTIS_URL", "value": "https://a"}]),
    ),
    _two("agents of jenkins", False, _task(image="jenkins/inbound-agent:latest")),
    _two("unreadable containers", False, _UNREADABLE),
    _two("unreadable containers of a telling family", True, _NAMED),
    _two("unreadable containers of a telling service", True, _UNREADABLE, name="atlantis"),
    clean(
        "single-task",
        "desired-count",
        "wordpress that is not listed",
        _service(desiredCount=2),
        _task(image="wordpress:6.8"),
    ),
    fault(
        "single-task",
        "desired-count",
        "wordpress that is listed",
        _service(desiredCount=2),
        _task(image="wordpress:6.8"),
        singleWriters=["wordpress"],
    ),
    _two("redis by variable", False, _task(environment=[{"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "redis"}])),
    _two("bolt by variable", True, _task(environment=[{"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "boltdb"}])),
    _two("redis by flag", False, _task(command=["server", "--locking-db-type=redis"])),
    _two("redis by two words", False, _task(command=["server", "--locking-db-type", "redis"])),
    _two(
        "redis by shell",
        False,
        _task(entryPoint=["sh", "-c"], command=["atlantis server --locking-db-type=redis --redis-host=r"]),
    ),
    _two("bolt by flag", True, _task(command=["server", "--locking-db-type=boltdb"])),
    _two("redis by secret", False, _task(secrets=[{"name": "ATLANTIS_LOCKING_DB_TYPE", "valueFrom": "arn:s"}])),
    _two("read-only mount", False, _task(mountPoints=[{**_MOUNT, "readOnly": True}])),
    _two("host path", True, _task(volume={"name": "data", "hostPath": "/mnt/efs/atlantis"})),
    _two("socket of the host", False, _task(volume={"name": "data", "hostPath": "/var/run/docker.sock"})),
    _two("volume of the task alone", False, _task(volume={"name": "data"})),
    _two(
        "NFS",
        True,
        _task(
            volume={
                "name": "data",
                "dockerVolumeConfiguration": {
                    "driver": "local",
                    "driverOpts": {"type": "nfs4", "o": "addr=10.0.0.1", "device": ":/"},
                },
            }
        ),
    ),
    _two(
        "docker volume of the task",
        False,
        _task(volume={"name": "data", "dockerVolumeConfiguration": {"scope": "task"}}),
    ),
    _two(
        "FSx", True, _task(volume={"name": "data", "fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1"}})
    ),
)

REFERENCES: Final[tuple[Verdict, ...]] = (
    _two("family and revision", True, _task(), task="app:3"),
    _two("the family alone", True, _task(), task="app"),
    _two("another family", False, _task(), task="other:3"),
    _two("another revision by ARN", True, _task(), task=_ARN.replace(":3", ":2")),
)


def _scaled(label: str, found: bool, *more: Planned, cluster: Any = "ci", **target: Any) -> Verdict:
    given = {"serviceNamespace": "ecs", "resourceId": "service/ci/service", "maxCapacity": 4, **target}
    row = fault if found else clean
    resources = (_service(cluster=cluster), _task(), one("appautoscaling/target", "scaling", **given), *more)
    return row("single-task", "autoscaling", label, *resources)


SCALING: Final[tuple[Verdict, ...]] = (
    _scaled("of the service", True),
    _scaled("of the service at most one", False, maxCapacity=1),
    _scaled("of a service of another cluster", False, resourceId="service/shop/service"),
    _scaled("of another service", False, resourceId="service/ci/web"),
    _scaled("of a table", False, serviceNamespace="dynamodb", resourceId="table/service"),
    _scaled("of a table of a telling name", False, serviceNamespace="dynamodb", resourceId="table/ci/service"),
    _scaled("of a cluster by ARN", True, cluster=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/ci"),
    _scaled("of another cluster by ARN", False, cluster=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/web"),
)


def _shared(label: str, found: bool, first: Any, second: Any, *more: Planned, image: str = _ATLANTIS) -> Verdict:
    row = fault if found else clean
    return row(
        *("single-task", "file-system", label),
        *(_service(), _task(volume=first), _service("other", task=_ARN.replace("app", "second"))),
        *(_task("second", image=image, volume=second, family="second"), *more),
    )


def _point(identity: str, path: str) -> Planned:
    return one("efs/accessPoint", identity, id=identity, rootDirectory={"path": path})


SHARED: Final[tuple[Verdict, ...]] = (
    _shared("one root", True, _efs(), _efs()),
    _shared("two systems", False, _efs(), _efs(system="fs-2")),
    _shared("one access point", True, _efs("ap-1"), _efs("ap-1"), _point("ap-1", "/a")),
    _shared("two access points", False, _efs("ap-1"), _efs("ap-2"), _point("ap-1", "/a"), _point("ap-2", "/b")),
    _shared(
        "two access points on one path", True, _efs("ap-1"), _efs("ap-2"), _point("ap-1", "/a"), _point("ap-2", "/a")
    ),
    _shared(
        "one access point inside another",
        True,
        _efs("ap-1"),
        _efs("ap-2"),
        _point("ap-1", "/a"),
        _point("ap-2", "/a/b"),
    ),
    _shared("names that begin alike", False, _efs("ap-1"), _efs("ap-2"), _point("ap-1", "/a"), _point("ap-2", "/ab")),
    _shared("access points of another stack", False, _efs("ap-1"), _efs("ap-2")),
    _shared("an access point and the root", True, _efs("ap-1"), _efs(), _point("ap-1", "/a")),
    _shared("two directories", False, _efs(rootDirectory="/a"), _efs(rootDirectory="/b")),
    _shared("another application beside it", False, _efs(), _efs(), image="wordpress:6.8"),
)

_RUNS: Final = document(allow(Action=["ecs:RunTask"]))


def _started(label: str, found: bool, *starters: Planned, service: bool = True) -> Verdict:
    row = fault if found else clean
    resources = (_task(), *((_service(),) if service else ()), *starters)
    return row("single-task", "started", label, *resources)


def _event(**target: Any) -> Planned:
    return one("cloudwatch/eventTarget", "event", ecsTarget={"taskDefinitionArn": _ARN, **target})


def _machine(task: str, resource: str = "arn:aws:states:::ecs:runTask.sync") -> Planned:
    state = {"Type": "Task", "Resource": resource, "Parameters": {"TaskDefinition": task}, "End": True}
    branches = [{"StartAt": "Run", "States": {"Run": state}}]
    definition = {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}}
    return one("sfn/stateMachine", "machine", definition=json.dumps(definition))


def _function(task: str, policy: str) -> tuple[Planned, ...]:
    return (
        one("iam/role", "role", name="runner", arn="arn:role", inlinePolicies=[{"name": "p", "policy": policy}]),
        one("lambda/function", "function", role="arn:role", environment={"variables": {"TASK": task}}),
    )


STARTED: Final[tuple[Verdict, ...]] = (
    _started("event", True, _event()),
    _started("event without a service", False, _event(), service=False),
    _started("event of two tasks", True, _event(taskCount=2), service=False),
    _started("event of another task", False, _event(taskDefinitionArn="other")),
    _started("schedule", True, one("scheduler/schedule", target={"ecsParameters": {"taskDefinitionArn": "app"}})),
    _started("pipe", True, one("pipes/pipe", targetParameters={"ecsTaskParameters": {"taskDefinitionArn": _ARN}})),
    _started("state machine", True, _machine("app:3")),
    _started("state machine of another task", False, _machine("other:1")),
    _started("state machine that describes", False, _machine("app:3", "arn:aws:states:::aws-sdk:ecs:describeTasks")),
    _started("function", True, *_function(_ARN, _RUNS)),
    _started("function that may not", False, *_function(_ARN, document(allow(Action="ecs:DescribeTasks")))),
    _started("function of another task", False, *_function("other:1", _RUNS)),
)


def _task_set(label: str, found: bool, task: Planned) -> Verdict:
    row = fault if found else clean
    service = one(
        "ecs/service", "service", id="svc-1", name="service", deploymentController={"type": "EXTERNAL"}, **_GOOD
    )
    return row(
        "single-task", "rolling", label, service, task, one("ecs/taskSet", "set", service="svc-1", taskDefinition=_ARN)
    )


EXTERNAL: Final[tuple[Verdict, ...]] = (
    _task_set("task set of atlantis", True, _task()),
    _task_set("task set of wordpress", False, _task(image="wordpress:6.8")),
)

SINGLE_TASK_VERDICTS: Final[tuple[Verdict, ...]] = (*SERVERS, *REFERENCES, *SCALING, *SHARED, *STARTED, *EXTERNAL)
