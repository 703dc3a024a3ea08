"""single-task: a service that keeps a file lock on EFS runs as one task, whatever happens."""

from fnmatch import fnmatchcase
from typing import Any, Final

from rules.resources import Resource, Stack
from rules.rule import WELL_ARCHITECTED, Findings, Rule
from rules.settings import Setting
from rules.task_definitions import CONTAINERS, readable_containers, variables
from rules.values import UNKNOWN, at, integer, mappings, text

__all__ = ["RULE"]

_LOCKING_VARIABLE: Final = "ATLANTIS_LOCKING_DB_TYPE"
_FILE_SYSTEM: Final = "efs/fileSystem"
_REDIS: Final = (
    "elasticache/replicationGroup",
    "elasticache/cluster",
    "elasticache/serverlessCache",
    "memorydb/cluster",
)


def _check(stack: Stack, findings: Findings) -> None:
    writers = [(service, task) for service in stack.of("ecs/service") for task in _writers(stack, service, findings)]
    for service, _ in writers:
        _count(service, findings)
        _deployment(service, findings)
    _autoscaling(stack, [service for service, _ in writers], findings)
    _shared_file_systems(stack, writers, findings)


def _writers(stack: Stack, service: Resource, findings: Findings) -> list[Resource]:
    """The task definition of a service if it writes to EFS under a file lock; empty where it doesn't."""
    patterns = findings.settings.strings("concurrentWriters")
    if any(fnmatchcase(service.name, pattern) or fnmatchcase(service.urn, pattern) for pattern in patterns):
        return []
    tasks = stack.linked(service, "taskDefinition", "ecs/taskDefinition")
    if not tasks and service.at("taskDefinition") is not None:
        why = "names a task definition of another stack"
        findings.not_evaluated(service, "task-definition", "taskDefinition", why)
    return [task for task in tasks if _writes_under_file_lock(stack, task, findings)]


def _writes_under_file_lock(stack: Stack, task: Resource, findings: Findings) -> bool:
    """Whether a task mounts EFS to write, without Redis as its lock.

    Container definitions that are not known yet count as writing under a file lock: two writers destroy the lock file,
    and a preview that waits for the values would let them through. Where a Redis of the stack went into them, the locks
    are in Redis, as far as can be seen.
    """
    volumes = [
        volume.get("name")
        for _, volume in mappings(task.at("volumes"))
        if volume.get("efsVolumeConfiguration") is not None
    ]
    if not volumes:
        return False
    containers = readable_containers(task)
    if containers is None:
        if any(stack.dependencies(task, CONTAINERS, store) for store in _REDIS):
            findings.not_evaluated(task, "lock", CONTAINERS)
            return False
        return True
    if any(
        name == _LOCKING_VARIABLE and text(value) == "redis"
        for container in containers
        for _, name, value in variables(container)
    ):
        return False
    return any(
        mount.get("sourceVolume") in volumes and mount.get("readOnly") is not True
        for container in containers
        for _, mount in mappings(container.get("mountPoints"))
    )


def _count(service: Resource, findings: Findings) -> None:
    desired = service.stated("desiredCount")
    if desired is UNKNOWN:
        findings.not_evaluated(service, "desired-count", "desiredCount")
    elif (integer(desired) or 0) > 1:
        findings.violation(
            service,
            "desired-count",
            f"desiredCount is {integer(desired)}, and the second task would run on the first one's lock file",
            "set desiredCount to 1, or move locking to Redis",
        )
    if service.at("schedulingStrategy") == "DAEMON":
        what = "the DAEMON strategy runs one task on every instance"
        findings.violation(service, "desired-count", what, "use schedulingStrategy REPLICA with desiredCount 1")


def _deployment(service: Resource, findings: Findings) -> None:
    for path, limit, default, check, consequence in (
        ("deploymentMaximumPercent", 100, 200, "maximum-percent", "starts the new task beside the old one"),
        ("deploymentMinimumHealthyPercent", 0, 100, "minimum-healthy", "may not stop the old task first"),
    ):
        value = service.stated(path)
        if value is UNKNOWN:
            findings.not_evaluated(service, check, path)
            continue
        percent = integer(value)
        if percent is None or percent > limit:
            stated = f"{path} is {percent}" if percent is not None else f"{path} is left out, which means {default}"
            what = f"{stated}, so a deployment {consequence}"
            findings.violation(
                service, check, what, f"set {path} to {limit}: stop the old task, then start the new one"
            )
    for path, expected, what in (
        ("deploymentController.type", "ECS", "another controller than ECS runs old and new tasks side by side"),
        ("deploymentConfiguration.strategy", "ROLLING", "this strategy runs old and new tasks side by side"),
    ):
        value = service.stated(path)
        if value is UNKNOWN:
            findings.not_evaluated(service, "rolling", path)
        elif value not in (None, "", expected):
            findings.violation(service, "rolling", f"{path}: {what}", f"set {path} to {expected}, or leave it out")
    if service.at("availabilityZoneRebalancing") == "ENABLED":
        what = "availability zone rebalancing starts a second task before it stops the first"
        findings.violation(service, "rebalancing", what, "set availabilityZoneRebalancing to DISABLED")


def _autoscaling(stack: Stack, writers: list[Resource], findings: Findings) -> None:
    if not writers:
        return
    names = {service.at("name"): service for service in writers if text(service.at("name"))}
    urns = {service.urn for service in writers}
    for target in stack.of("appautoscaling/target"):
        identity = target.at("resourceId")
        scaled = names.get(identity.rpartition("/")[2]) if isinstance(identity, str) else None
        linked = [service for service in stack.dependencies(target, "resourceId", "ecs/service") if service.urn in urns]
        if scaled is None and not linked:
            continue
        most = target.at("maxCapacity")
        if most is UNKNOWN:
            findings.not_evaluated(target, "autoscaling", "maxCapacity")
        elif (integer(most) or 0) > 1:
            what = f"it scales a service with a file lock to {integer(most)} tasks"
            findings.violation(target, "autoscaling", what, "remove it, or set maxCapacity to 1")


def _shared_file_systems(stack: Stack, writers: list[tuple[Resource, Resource]], findings: Findings) -> None:
    owner: dict[str, Resource] = {}
    for service, task in writers:
        for identity in _file_systems(stack, task):
            first = owner.setdefault(identity, service)
            if first.urn != service.urn:
                findings.violation(
                    service,
                    "file-system",
                    f"it writes to the same file system as the service {first.name}",
                    "give each its own file system, or move locking to Redis",
                )


def _file_systems(stack: Stack, task: Resource) -> set[str]:
    """What names the file systems of a task: their URNs, or their ids where they are of another stack."""
    found: set[str] = set()
    for _, volume in mappings(task.at("volumes")):
        identity: Any = at(volume, "efsVolumeConfiguration.fileSystemId")
        known = stack.by_identity(identity, _FILE_SYSTEM)
        if known is not None:
            found.add(known.urn)
        elif isinstance(identity, str):
            found.add(identity)
        elif identity is UNKNOWN:
            found.update(each.urn for each in stack.dependencies(task, "volumes", _FILE_SYSTEM))
    return found


RULE: Final = Rule(
    name="single-task",
    title="Single task",
    description="A service that keeps a file lock on EFS never runs two tasks at a time.",
    why=(
        "A lock file on a shared file system holds only as long as one process opens it. A second task, started by a count,"
        " a deployment, a rebalancing or an autoscaler, waits for the lock and dies, or writes beside the first. No AWS"
        " control looks at that. The rule lets go where ATLANTIS_LOCKING_DB_TYPE is redis or the mount is read-only."
    ),
    severity="critical",
    level="mandatory",
    controls=("REL04-BP04",),
    standard=WELL_ARCHITECTED,
    remediation=(
        "desiredCount 1, deploymentMaximumPercent 100, deploymentMinimumHealthyPercent 0, the ECS controller with rolling"
        " deployments, rebalancing DISABLED, no autoscaling. An application that handles several writers by itself is"
        " named in concurrentWriters."
    ),
    checks={
        "desired-count": "At most one task is wanted.",
        "maximum-percent": "A deployment never runs more than one task; left out means 200 %.",
        "minimum-healthy": "A deployment may stop the only task; left out means 100 %.",
        "rolling": "Deployments roll under the ECS controller: no blue/green, canary, linear or external ones.",
        "rebalancing": "Availability zone rebalancing is not on.",
        "autoscaling": "No scaling target goes above one task.",
        "file-system": "No second service writes to the same file system.",
        "lock": "Whether the lock is in Redis can be seen.",
        "task-definition": "The service's task definition is in the stack, where it can be judged.",
    },
    whole_stack=_check,
    settings=(
        Setting(
            "concurrentWriters",
            "strings",
            [],
            "Names or URNs (with wildcards) of services whose application handles several writers by itself.",
        ),
    ),
)
