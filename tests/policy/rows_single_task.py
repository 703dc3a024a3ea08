"""Verdicts of single-task: which tasks keep a lock file, and what would start a second one."""

import json
from typing import Any, Final

from tests.policy.rows import ACCOUNT, Row, allow, document, found, known, one, passes
from tests.policy.servicer import UNKNOWN, Planned

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


def _docker(**options: str) -> dict[str, Any]:
    return {"name": "data", "dockerVolumeConfiguration": {"driver": "local", "driverOpts": options}}


def _task(
    label: str = "task",
    /,
    image: str = _ATLANTIS,
    volume: Any = None,
    family: str = "app",
    others: tuple[dict[str, Any], ...] = (),
    **container: Any,
) -> Planned:
    definition = {"name": "main", "image": image, "mountPoints": [_MOUNT], **container}
    return one(
        *("ecs/taskDefinition", label),
        family=family,
        arn=_ARN.replace("app", family),
        volumes=[volume or _efs()],
        containerDefinitions=json.dumps([definition, *others]),
    )


def _service(label: str = "service", /, task: Any = _ARN, **properties: Any) -> Planned:
    given = {"name": label, "cluster": "ci", "taskDefinition": task, **_GOOD, **properties}
    return one("ecs/service", label, **given)


def _two(label: str, expected: bool, task: Planned, /, **service: Any) -> Row:
    """A service of two tasks: a fault where the task keeps a lock file."""
    row = found if expected else passes
    return row("single-task/desired-count", label, _service(desiredCount=2, **service), task)


_UNREADABLE: Final = one(
    *("ecs/taskDefinition", "task"), family="app", arn=_ARN, volumes=[_efs()], containerDefinitions=UNKNOWN
)
_NAMED: Final = one(
    *("ecs/taskDefinition", "task"), family="atlantis-prod", arn=_ARN, volumes=[_efs()], containerDefinitions=UNKNOWN
)

SERVERS: Final[tuple[Row, ...]] = (
    _two("atlantis", True, _task()),
    _two(
        "atlantis of a private registry",
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
    _two("command in a shell", True, _task(image="tools/ci:1", command=["sh", "-c", "exec atlantis  server"])),
    _two(
        "image of any name with the server's command", True, _task(image="tools/ci:1", command=["atlantis", "server"])
    ),
    found(
        *("single-task/minimum-healthy", "next to an unknown maximum"),
        known(
            _service(deploymentMaximumPercent=UNKNOWN, deploymentMinimumHealthyPercent=100),
            deploymentMaximumPercent=("task",),
        ),
        _task(),
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
    found(
        "single-task/desired-count",
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
    _two("no mount", False, _task(mountPoints=[])),
    passes(
        *("single-task/desired-count", "concurrent writers", _service(desiredCount=2), _task()),
        concurrentWriters=["serv*"],
    ),
    _two("host path", True, _task(volume={"name": "data", "hostPath": "/mnt/efs/atlantis"})),
    _two("socket of the host", False, _task(volume={"name": "data", "hostPath": "/var/run/docker.sock"})),
    _two("volume of the task alone", False, _task(volume={"name": "data"})),
    _two("NFS", True, _task(volume=_docker(type="nfs4", o="addr=10.0.0.1", device=":/"))),
    _two("Docker volume on EFS", True, _task(volume=_docker(type="efs", device="fs-1:/"))),
    _two(
        "docker volume of the task",
        False,
        _task(volume={"name": "data", "dockerVolumeConfiguration": {"scope": "task"}}),
    ),
    _two(
        "FSx", True, _task(volume={"name": "data", "fsxWindowsFileServerVolumeConfiguration": {"fileSystemId": "fs-1"}})
    ),
    _two("S3 Files", True, _task(volume={"name": "data", "s3filesVolumeConfiguration": {"fileSystemArn": "arn:fs"}})),
    _two("host path in a Docker volume", True, _task(volume=_docker(type="none", o="bind", device="/mnt/efs"))),
    _two("host path in memory", False, _task(volume=_docker(type="tmpfs", device="tmpfs"))),
)

_REDIS: Final = [{"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "redis"}]
_BOLT: Final = [{"name": "ATLANTIS_LOCKING_DB_TYPE", "value": "boltdb"}]
_DIGEST: Final = f"a@sha256:{'0' * 64}"
_SIDECAR: Final = {"name": "sidecar", "image": "busybox:1"}
_FROM: Final = [{"sourceContainer": "sidecar"}]

# What someone does to switch the rule off without giving up the second task.
EVASIONS: Final[tuple[Row, ...]] = (
    _two("redis of another container", True, _task(others=({**_SIDECAR, "environment": _REDIS},))),
    _two(
        "redis of another container that mounts it too",
        True,
        _task(others=({**_SIDECAR, "environment": _REDIS, "mountPoints": [_MOUNT]},)),
    ),
    _two("redis of another container as a secret", True, _task(others=({**_SIDECAR, "secrets": _REDIS},))),
    _two("redis and bolt", True, _task(environment=[*_REDIS, *_BOLT])),
    _two("bolt and redis", False, _task(environment=[*_BOLT, *_REDIS])),
    _two("redis by variable, bolt by flag", True, _task(environment=_REDIS, command=["--locking-db-type=boltdb"])),
    _two("environment from a file", True, _task(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::b/e.env"}])),
    _two(
        "volume of another container",
        True,
        _task(mountPoints=[], volumesFrom=_FROM, others=({**_SIDECAR, "mountPoints": [_MOUNT]},)),
    ),
    _two(
        "volume of another container's other container",
        True,
        _task(
            mountPoints=[],
            volumesFrom=_FROM,
            others=(
                {**_SIDECAR, "volumesFrom": [{"sourceContainer": "third"}]},
                {"name": "third", "mountPoints": [_MOUNT], "volumesFrom": _FROM},
            ),
        ),
    ),
    _two(
        "read-only volume of another container",
        False,
        _task(
            mountPoints=[],
            volumesFrom=[{**_FROM[0], "readOnly": True}],
            others=({**_SIDECAR, "mountPoints": [_MOUNT]},),
        ),
    ),
    _two("own image of a telling container", True, _task(image=_DIGEST, name="atlantis")),
    _two("own image of a telling family", True, _task(image=_DIGEST, family="atlantis-prod"), task="atlantis-prod"),
    _two("own image of a telling service", True, _task(image=_DIGEST), name="staging-atlantis"),
    _two("own image on the server's port", True, _task(image=_DIGEST), loadBalancers=[{"containerPort": 4141}]),
    _two("own image with the server's port", True, _task(image=_DIGEST, portMappings=[{"containerPort": 4141}])),
    _two("own image with the server's flags", True, _task(image=_DIGEST, command=["run", "--repo-allowlist=*"])),
    _two("own image of a shop", False, _task(image=_DIGEST, name="atlantis-tours"), name="atlantis-tours"),
    _two("telling container with Redis", False, _task(image=_DIGEST, name="atlantis", environment=_REDIS)),
)

REFERENCES: Final[tuple[Row, ...]] = (
    _two("family and revision", True, _task(), task="app:3"),
    _two("the family alone", True, _task(), task="app"),
    _two("another family", False, _task(), task="other:3"),
    _two("another revision by ARN", True, _task(), task=_ARN.replace(":3", ":2")),
)


def _scaled(label: str, expected: bool, *more: Planned, cluster: Any = "ci", **target: Any) -> Row:
    given = {"serviceNamespace": "ecs", "resourceId": "service/ci/service", "maxCapacity": 4, **target}
    row = found if expected else passes
    resources = (_service(cluster=cluster), _task(), one("appautoscaling/target", "scaling", **given), *more)
    return row("single-task/autoscaling", label, *resources)


def _planned(label: str, expected: bool, **instruction: Any) -> Row:
    """A scaling plan, whose second instruction is for the service."""
    given = {"serviceNamespace": "ecs", "resourceId": "service/ci/service", "maxCapacity": 3, **instruction}
    plan = one("autoscalingplans/scalingPlan", scalingInstructions=[{"resourceId": "service/ci/web"}, given])
    return (found if expected else passes)("single-task/autoscaling", label, _service(cluster="ci"), _task(), plan)


def _scheduled(label: str, expected: bool, canonical: str = "scheduledAction", **action: Any) -> Row:
    given = {"serviceNamespace": "ecs", "resourceId": "service/ci/service"}
    if canonical == "scheduledAction":
        scaling = one("appautoscaling/scheduledAction", "scaling", **given, scalableTargetAction=action)
    else:
        token = "aws-native:applicationautoscaling:ScalableTarget"
        actions = [{"scalableTargetAction": {"maxCapacity": 1}}, {"scalableTargetAction": action}]
        scaling = Planned(token, "scaling", {**given, "maxCapacity": 1, "scheduledActions": actions})
    row = found if expected else passes
    return row("single-task/autoscaling", label, _service(cluster="ci"), _task(), scaling)


def _blue_green(label: str, expected: bool, **service: Any) -> Row:
    row = found if expected else passes
    group = one("codedeploy/deploymentGroup", "group", ecsService={"clusterName": "ci", **service})
    return row("single-task/rolling", label, _service(), _task(), group)


def _automation(operation: str, *, text: bool = False, **call: Any) -> Planned:
    """A runbook of Systems Manager, in JSON or YAML."""
    steps = [{"action": "aws:executeAwsApi", "inputs": {"Service": "ecs", "Api": operation, **call}}]
    content = f"mainSteps:\n- name: a\n  inputs: {{Service: ecs, Api: {operation}, taskDefinition: 'app:3'}}\n"
    return one("ssm/document", content=content if text else json.dumps({"mainSteps": steps}), documentType="Automation")


def _counted(label: str, expected: bool, machine: bool = False, **call: Any) -> Row:
    """A schedule or a state machine that updates a service."""
    return _called(
        label,
        expected,
        "ecs:updateService",
        {"Service": "service", "Cluster": "ci", "DesiredCount": 2, **call},
        machine=machine,
    )


def _called(label: str, expected: bool, operation: str, given: dict[str, Any], machine: bool = False) -> Row:
    target = {"arn": f"arn:aws:scheduler:::aws-sdk:{operation}", "input": json.dumps(given)}
    state = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{operation}", "Parameters": given}
    starter = (
        one("sfn/stateMachine", "machine", definition=json.dumps({"States": {"Update": state}}))
        if machine
        else one("scheduler/schedule", "schedule", target=target)
    )
    row = found if expected else passes
    return row("single-task/autoscaling", label, _service(), _task(), starter)


def _build(command: str) -> Planned:
    return one(
        "codebuild/project", "build", source={"buildspec": f"phases:\n  build:\n    commands:\n      - {command}\n"}
    )


_REGISTER: Final = "applicationautoscaling:registerScalableTarget"
SCALING: Final[tuple[Row, ...]] = (
    _counted("schedule that sets two tasks", True),
    _counted(
        "schedule that sets two tasks by ARNs", True, Service="arn:aws:ecs:a:1:service/ci/service", Cluster="a/ci"
    ),
    _counted("state machine that sets two tasks", True, machine=True),
    _counted("schedule that stops the service", False, DesiredCount=0),
    _counted("schedule for another service", False, Service="web"),
    _counted("schedule for a service of the default cluster", False, Cluster=None),
    _called("schedule that sets the limit", True, _REGISTER, {"ResourceId": "service/ci/service", "MaxCapacity": 2}),
    _called("schedule that sets one", False, _REGISTER, {"ResourceId": "service/ci/service", "MaxCapacity": 1}),
    _called("schedule that sets the limit of a table", False, _REGISTER, {"ResourceId": "table/ci", "MaxCapacity": 2}),
    _called(
        *("state machine that schedules the limit", True, "applicationautoscaling:putScheduledAction"),
        {"ResourceId": "service/ci/service", "ScalableTargetAction": {"MinCapacity": 2}},
        machine=True,
    ),
    found(
        *("single-task/autoscaling", "build that sets two tasks"),
        *(_service(), _task(), _build("aws ecs update-service --cluster ci --service=service --desired-count 2")),
    ),
    _planned("scaling plan", True),
    _planned("scaling plan of one task", False, maxCapacity=1),
    _planned("scaling plan of another service", False, resourceId="service/ci/web"),
    _planned("scaling plan of a table", False, serviceNamespace="dynamodb"),
    found(
        *("single-task/autoscaling", "runbook that sets two tasks"),
        *(_service(), _task(), _automation("update_service", service="service", cluster="ci", desiredCount=2)),
    ),
    _scheduled("scheduled maximum", True, maxCapacity=4),
    _scheduled("scheduled minimum", True, minCapacity="2"),
    _scheduled("scheduled stop", False, minCapacity=0, maxCapacity=1),
    _scheduled("native scheduled maximum", True, "native", maxCapacity=4),
    _scheduled("native scheduled minimum", True, "native", minCapacity=2),
    _scheduled("native scheduled stop", False, "native", minCapacity=0),
    _blue_green("deployment group of the service", True, serviceName="service"),
    _blue_green("deployment group of another service", False, serviceName="web"),
    _blue_green("deployment group of another cluster", False, serviceName="service", clusterName="web"),
    _scaled("of the service", True),
    _scaled("of the service at most one", False, maxCapacity=1),
    _scaled("of a service of another cluster", False, resourceId="service/shop/service"),
    _scaled("of another service", False, resourceId="service/ci/web"),
    _scaled("of a table", False, serviceNamespace="dynamodb", resourceId="table/service"),
    _scaled("of a table of a telling name", False, serviceNamespace="dynamodb", resourceId="table/ci/service"),
    _scaled("of an unknown namespace", True, serviceNamespace=UNKNOWN),
    _scaled("of a table that nothing names", False, serviceNamespace=UNKNOWN, resourceId="table/ci/service"),
    _scaled("of a cluster by ARN", True, cluster=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/ci"),
    _scaled("of another cluster by ARN", False, cluster=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/web"),
)


def _shared(label: str, expected: bool, first: Any, second: Any, *more: Planned, image: str = _ATLANTIS) -> Row:
    row = found if expected else passes
    return row(
        *("single-task/file-system", label),
        *(_service(), _task(volume=first), _service("other", task=_ARN.replace("app", "second"))),
        *(_task("second", image=image, volume=second, family="second"), *more),
    )


def _point(identity: str, path: str) -> Planned:
    return one("efs/accessPoint", identity, id=identity, rootDirectory={"path": path})


SHARED: Final[tuple[Row, ...]] = (
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
    passes(
        *("single-task/file-system", "two access points that are unknown"),
        *(_service(), known(_task(volume=_efs(UNKNOWN)), volumes=("first",)), _point("first", "/a")),
        *(_service("other", task=_ARN.replace("app", "second")), _point("second-point", "/b")),
        known(_task("second", volume=_efs(UNKNOWN), family="second"), volumes=("second-point",)),
    ),
    passes(
        *("single-task/file-system", "an access point of another stack next to one of this stack"),
        *(_service(), known(_task(volume=_efs("ap-8")), volumes=("point",)), _point("point", "/a")),
        _service("other", task=_ARN.replace("app", "second")),
        known(_task("second", volume=_efs("ap-9"), family="second"), volumes=("point",)),
    ),
    _shared("one system by its address", True, _efs(), _docker(type="nfs4", o="addr=fs-1.efs.a.com,rw", device=":/")),
    _shared("another directory by its address", False, _efs(rootDirectory="/a"), _docker(type="efs", device="fs-1:/b")),
    found(
        *("single-task/file-system", "two servers and a shop"),
        *(_service("shop", task="web"), _task("web", image="wordpress:6.8", volume=_efs(), family="web")),
        *(_service(), _task(), _service("other")),
    ),
    _shared("another application on the same files", False, _efs(), _efs(), image="wordpress:6.8"),
)

_POINTS: Final = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point"


def _mounted(label: str, expected: bool, arn: str, *points: Planned, volume: Any = None) -> Row:
    """A function that mounts an access point, next to the service."""
    function = one("lambda/function", "function", fileSystemConfig={"arn": arn, "localMountPath": "/mnt/x"})
    row = found if expected else passes
    return row("single-task/file-system", f"function {label}", _service(), _task(volume=volume), function, *points)


def _known_point(identity: str, path: str, system: str = "fs-1") -> Planned:
    arn = f"{_POINTS}/{identity}"
    return one("efs/accessPoint", identity, id=identity, arn=arn, fileSystemId=system, rootDirectory={"path": path})


def _built(label: str, expected: bool, location: str) -> Row:
    """A build that mounts a directory of the service's file system."""
    project = one("codebuild/project", "build", fileSystemLocations=[{"type": "EFS", "location": location}])
    row = found if expected else passes
    return row("single-task/file-system", f"build {label}", _service(), _task(volume=_efs(rootDirectory="/a")), project)


def _job(label: str, expected: bool, image: str = _ATLANTIS, system: str = "fs-1", **more: Any) -> Row:
    """A Batch job definition, next to the service."""
    container = {"image": image, "mountPoints": [_MOUNT], "volumes": [_efs(system=system)], **more}
    row = found if expected else passes
    job = one("batch/jobDefinition", "job", containerProperties=json.dumps(container))
    return row("single-task/started", f"job {label}", _service(), _task(), job)


_ALONE: Final = {"image": _ATLANTIS, "mountPoints": [_MOUNT], "volumes": [_efs()]}
_SEVERAL: Final = {"taskProperties": [{"containers": [{**_ALONE, "volumes": None}], "volumes": [_efs()]}]}
OTHERS: Final[tuple[Row, ...]] = (
    _mounted("on the access point", True, f"{_POINTS}/ap-1", _known_point("ap-1", "/a"), volume=_efs("ap-1")),
    _mounted("on the access point of another stack", True, f"{_POINTS}/ap-1", volume=_efs("ap-1")),
    _mounted("on the root", True, f"{_POINTS}/ap-2", _known_point("ap-2", "/"), volume=_efs()),
    _mounted(
        *("on another directory", False, f"{_POINTS}/ap-2", _known_point("ap-1", "/a"), _known_point("ap-2", "/b")),
        volume=_efs("ap-1"),
    ),
    _mounted("on another system", False, f"{_POINTS}/ap-2", _known_point("ap-2", "/", "fs-2")),
    _mounted("on another access point of another stack", False, f"{_POINTS}/ap-2", volume=_efs("ap-1")),
    _built("on the directory", True, "fs-1.efs.eu-west-1.amazonaws.com:/a/repos"),
    _built("on another directory", False, "fs-1.efs.eu-west-1.amazonaws.com:/b"),
    _built("on another system", False, "fs-2.efs.eu-west-1.amazonaws.com:/"),
    _job("with the image", True),
    _job("with the command", True, image="tools:1", command=["atlantis", "server"]),
    _job("that backs the files up", False, image="restic/restic:0.18"),
    _job("on another system", False, system="fs-2"),
    _job("that reads", False, mountPoints=[{**_MOUNT, "readOnly": True}]),
    *(
        found(
            *("single-task/started", label),
            *(_service(), _task(), one("batch/jobDefinition", "job", **{name: json.dumps(content)})),
        )
        for label, name, content in (
            ("multi-node job", "nodeProperties", {"nodeRangeProperties": [{"container": _ALONE}]}),
            ("job of several containers", "ecsProperties", _SEVERAL),
            (
                *("multi-node job of several containers", "nodeProperties"),
                {"nodeRangeProperties": [{"ecsProperties": _SEVERAL}]},
            ),
        )
    ),
)

_RUNS: Final = document(allow(Action=["ecs:RunTask"]))


def _started(label: str, expected: bool, *starters: Planned, service: bool = True) -> Row:
    row = found if expected else passes
    resources = (_task(), *((_service(),) if service else ()), *starters)
    return row("single-task/started", label, *resources)


def _event(**target: Any) -> Planned:
    return one("cloudwatch/eventTarget", "event", ecsTarget={"taskDefinitionArn": _ARN, **target})


def _machine(
    task: str, resource: str = "arn:aws:states:::ecs:runTask.sync", key: str = "TaskDefinition", **states: Any
) -> Planned:
    state = {"Type": "Task", "Resource": resource, "Parameters": {key: task}, "End": True}
    branches = [{"StartAt": "Run", "States": {"Run": state, **states}}]
    definition = {"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": branches, "End": True}}}
    return one("sfn/stateMachine", "machine", definition=json.dumps(definition))


def _function(task: str, policy: str, variable: str = "TASK") -> tuple[Planned, ...]:
    return (
        one("iam/role", "role", name="runner", arn="arn:role", inlinePolicies=[{"name": "p", "policy": policy}]),
        one("lambda/function", "function", role="arn:role", environment={"variables": {variable: task}}),
    )


def _call(action: str, task: str) -> Planned:
    target = {"arn": f"arn:aws:scheduler:::aws-sdk:{action}", "input": json.dumps({"TaskDefinition": task})}
    return one("scheduler/schedule", "schedule", target=target)


STARTED: Final[tuple[Row, ...]] = (
    _started("event", True, _event()),
    _started(
        *("event after one of a shop", True),
        _task("web", image="wordpress:6.8", family="web"),
        one("cloudwatch/eventTarget", "first", ecsTarget={"taskDefinitionArn": "web", "taskCount": 2}),
        _event(),
    ),
    _started("event without a service", False, _event(), service=False),
    _started("event of two tasks", True, _event(taskCount=2), service=False),
    _started("event of another task", False, _event(taskDefinitionArn="other")),
    _started("schedule", True, one("scheduler/schedule", target={"ecsParameters": {"taskDefinitionArn": "app"}})),
    _started("schedule of an API call", True, _call("ecs:runTask", "app")),
    _started("schedule that starts on an instance", True, _call("ecs:startTask", "app")),
    _started(
        "state machine that starts on an instance", True, _machine("app", "arn:aws:states:::aws-sdk:ecs:startTask")
    ),
    _started("schedule of another API call", False, _call("ecs:stopTask", "app")),
    _started("pipe", True, one("pipes/pipe", targetParameters={"ecsTaskParameters": {"taskDefinitionArn": _ARN}})),
    _started("state machine", True, _machine("app:3")),
    _started("state machine of another task", False, _machine("other:1")),
    _started("state machine that describes", False, _machine("app:3", "arn:aws:states:::aws-sdk:ecs:describeTasks")),
    _started(
        "state machine that creates a service", True, _machine("app", "arn:aws:states:::aws-sdk:ecs:createService")
    ),
    _started("state machine with an expression", True, _machine("{% 'app:3' %}")),
    _started(
        *("state machine with a variable", True),
        _machine("$.task", key="TaskDefinition.$", Choose={"Type": "Pass", "Result": {"task": _ARN}}),
    ),
    _started("state machine with another variable", False, _machine("$.task", key="TaskDefinition.$")),
    _started("build", True, _build("aws ecs run-task --cluster ci --task-definition app:3")),
    _started("build of another task", False, _build("aws ecs run-task --task-definition other && echo app:3")),
    _started("build that describes", False, _build("aws ecs describe-task-definition --task-definition app")),
    _started(
        *("command of an instance", True),
        one(
            *("ssm/association", "command"),
            name="AWS-RunShellScript",
            parameters={"commands": "aws ecs run-task \\\n  --task-definition 'app'"},
        ),
    ),
    _started("runbook", True, _automation("RunTask", taskDefinition="app:3")),
    _started("runbook in YAML", True, _automation("run_task", text=True)),
    _started("runbook that isn't a document", False, one("ssm/document", content="ecs: [RunTask")),
    _started("runbook of another task", False, _automation("RunTask", taskDefinition="other")),
    _started("runbook that describes", False, _automation("DescribeTasks", taskDefinition="app")),
    _started(
        *("association of AWS' runbook", True),
        one("ssm/association", name="AWS-ECSRunTask", parameters={"taskDefinitionArn": "app"}),
    ),
    _started(
        *("event that starts AWS' runbook", True),
        one(
            *("cloudwatch/eventTarget", "event"),
            arn="arn:aws:ssm:eu-west-1:123456789012:automation-definition/AWS-ECSRunTask",
            input=json.dumps({"taskDefinitionArn": ["app:3"]}),
        ),
    ),
    _started("association of another runbook", False, one("ssm/association", parameters={"taskDefinitionArn": "app"})),
    _started(
        *("maintenance window", True),
        one(
            *("ssm/maintenanceWindowTask",),
            taskArn="AWS-ECSRunTask",
            taskInvocationParameters={
                "automationParameters": {"parameters": [{"name": "taskDefinitionArn", "values": ["app"]}]}
            },
        ),
    ),
    _started("function", True, *_function(_ARN, _RUNS)),
    _started("function that may not", False, *_function(_ARN, document(allow(Action="ecs:DescribeTasks")))),
    _started("function of another task", False, *_function("other:1", _RUNS)),
    _started("function of a family", True, *_function("app", _RUNS)),
    _started("function of an application", False, *_function("app", _RUNS, "APPLICATION")),
)


def _task_set(label: str, expected: bool, task: Planned) -> Row:
    row = found if expected else passes
    service = one(
        "ecs/service", "service", id="svc-1", name="service", deploymentController={"type": "EXTERNAL"}, **_GOOD
    )
    return row(
        "single-task/rolling", label, service, task, one("ecs/taskSet", "set", service="svc-1", taskDefinition=_ARN)
    )


EXTERNAL: Final[tuple[Row, ...]] = (
    _task_set("task set of atlantis", True, _task()),
    _task_set("task set of wordpress", False, _task(image="wordpress:6.8")),
)

SINGLE_TASK_ROWS: Final[tuple[Row, ...]] = (
    *SERVERS,
    *EVASIONS,
    *OTHERS,
    *REFERENCES,
    *SCALING,
    *SHARED,
    *STARTED,
    *EXTERNAL,
)
