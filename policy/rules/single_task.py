"""single-task: a server that keeps a lock file on a shared volume runs as one task, whatever happens."""

from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from rules.configuration import Option
from rules.file_locks import Place, lock_writer, may_write, overlap, places, task_definitions
from rules.resources import Resource, Stack
from rules.rule import Findings, Rule
from rules.standards import WEAKNESSES
from rules.task_starters import Start, starts
from rules.values import UNKNOWN, integer, text

__all__ = ["RULE"]

_SERVICE: Final = "ecs/service"
_TASK_SET: Final = "ecs/taskSet"
_CLUSTER: Final = "ecs/cluster"


class _Runner(NamedTuple):
    """A service, or a task set of one, with one of its task definitions."""

    resource: Resource
    service: Resource | None
    task: Resource


def _check(stack: Stack, findings: Findings) -> None:
    runners = list(_runners(stack, findings))
    patterns = findings.settings.strings("singleWriters")
    writers = [each for each in runners if lock_writer(stack, each.task, _named(each), findings, patterns)]
    for service in {each.service.urn: each.service for each in writers if each.service is not None}.values():
        _count(service, findings)
        _deployment(service, findings)
    _autoscaling(stack, [each.service for each in writers if each.service is not None], findings)
    _shared_file_systems(stack, writers, runners, findings)
    _started(stack, writers, findings, patterns)


def _runners(stack: Stack, findings: Findings) -> list[_Runner]:
    found: list[_Runner] = []
    for service in stack.of(_SERVICE):
        found += [_Runner(service, service, task) for task in _tasks(stack, service, findings)]
    for task_set in stack.of(_TASK_SET):
        owners = stack.linked(task_set, "service", _SERVICE)
        if owners and _handles_writers(owners[0], findings):
            continue
        for task in _tasks(stack, task_set, findings):
            found.append(_Runner(task_set, owners[0] if owners else None, task))
    return found


def _named(runner: _Runner) -> tuple[Resource, ...]:
    return (runner.resource,) if runner.service in (None, runner.resource) else (runner.resource, runner.service)


def _handles_writers(service: Resource, findings: Findings) -> bool:
    patterns = findings.settings.strings("concurrentWriters")
    return any(fnmatchcase(service.name, pattern) or fnmatchcase(service.urn, pattern) for pattern in patterns)


def _tasks(stack: Stack, runner: Resource, findings: Findings) -> list[Resource]:
    if _handles_writers(runner, findings):
        return []
    tasks = task_definitions(stack, runner, "taskDefinition")
    if not tasks and runner.at("taskDefinition") is not None:
        why = "names a task definition of another stack"
        findings.not_evaluated(runner, "task-definition", "taskDefinition", why)
    return tasks


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


def _autoscaling(stack: Stack, services: list[Resource], findings: Findings) -> None:
    for target in stack.of("appautoscaling/target"):
        if target.at("serviceNamespace") not in (None, "ecs", UNKNOWN):
            continue
        if not any(_scales(stack, target, service) for service in services):
            continue
        most = target.at("maxCapacity")
        if most is UNKNOWN:
            findings.not_evaluated(target, "autoscaling", "maxCapacity")
        elif (integer(most) or 0) > 1:
            what = f"it scales a service with a lock file to {integer(most)} tasks"
            findings.violation(target, "autoscaling", what, "remove it, or set maxCapacity to 1")


def _scales(stack: Stack, target: Resource, service: Resource) -> bool:
    """Whether a scaling target is the service's: ``service/cluster/name``, or computed from the service."""
    identity = target.at("resourceId")
    if service in stack.dependencies(target, "resourceId", _SERVICE):
        return True
    if not isinstance(identity, str) or identity.count("/") != 2:
        return False
    kind, cluster, name = identity.split("/")
    own = _cluster_name(stack, service)
    return kind == "service" and name == service.at("name") and own in (None, cluster)


def _cluster_name(stack: Stack, service: Resource) -> str | None:
    """The name of the cluster that a service runs in; None where it can't be seen."""
    value = service.at("cluster")
    linked = stack.linked(service, "cluster", _CLUSTER)
    if linked and text(linked[0].at("name")):
        return text(linked[0].at("name"))
    return value.rpartition("/")[2] if isinstance(value, str) else None


def _shared_file_systems(stack: Stack, writers: list[_Runner], runners: list[_Runner], findings: Findings) -> None:
    owned = [(writer, places(stack, writer.task)) for writer in writers]
    writing = {id(writer) for writer in writers}
    for number, runner in enumerate(runners):
        if id(runner) not in writing and not _may_be_writer(runner):
            continue
        own = places(stack, runner.task)
        for writer, taken in owned:
            after = id(runner) not in writing or runners.index(writer) < number
            if runner is writer or not after or _same_service(runner, writer):
                continue
            shared = _shares(own, taken)
            if shared:
                findings.violation(
                    runner.resource,
                    "file-system",
                    f"it writes to the same file system as {writer.resource.name}",
                    "give each its own file system or access point, or move locking to Redis",
                )
            elif shared is None:
                why = "enters a file system by an access point whose directory isn't in this stack"
                findings.not_evaluated(runner.task, "file-system", "volumes", why)


def _may_be_writer(runner: _Runner) -> bool:
    """Whether a task definition can't be read, and so may be a second server on the same files."""
    return runner.task.at("containerDefinitions") is UNKNOWN and may_write(runner.task)


def _same_service(first: _Runner, second: _Runner) -> bool:
    """Whether both are the same service's, whose rolling update is another check's matter."""
    return first.resource is second.resource


def _shares(own: list[Place], taken: list[Place]) -> bool | None:
    found = [overlap(one, other) for one in own for other in taken]
    return True if True in found else (None if None in found else False)


def _started(stack: Stack, writers: list[_Runner], findings: Findings, patterns: list[str]) -> None:
    for start in starts(stack, findings):
        if not lock_writer(stack, start.task, (start.starter,), findings, patterns) and not any(
            writer.task is start.task for writer in writers
        ):
            continue
        what = _second_start(stack, start, writers)
        if what:
            remedy = "start it by its service only, or give it a file system of its own"
            findings.violation(start.starter, "started", what, remedy)


def _second_start(stack: Stack, start: Start, writers: list[_Runner]) -> str:
    if start.count > 1:
        return f"it starts {start.count} tasks at a time on one lock file"
    own = places(stack, start.task)
    for writer in writers:
        if writer.task is start.task or _shares(own, places(stack, writer.task)):
            return f"it starts a task beside {writer.resource.name}, on the same lock file"
    return ""


RULE: Final = Rule(
    name="single-task",
    title="Single task",
    description="A server that keeps a lock file on a shared volume never runs as two tasks at a time.",
    why=(
        "A lock file on a shared file system holds only as long as one process opens it. A second task, started by a count,"
        " a deployment, a rebalancing, an autoscaler or a schedule, waits for the lock and fails, or writes beside the"
        " first. No AWS control covers that. The policy does not apply where ATLANTIS_LOCKING_DB_TYPE is redis or the mount"
        " is read-only, nor to applications that are not named in singleWriters."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=("CWE-667",),
    standard=WEAKNESSES,
    remediation=(
        "desiredCount 1, deploymentMaximumPercent 100, deploymentMinimumHealthyPercent 0, the ECS controller with rolling"
        " deployments, rebalancing DISABLED, no autoscaling, no schedule. An application that handles several writers by itself"
        " is named in concurrentWriters."
    ),
    checks={
        "desired-count": "At most one task is wanted.",
        "maximum-percent": "A deployment never runs more than one task; left out means 200 %.",
        "minimum-healthy": "A deployment may stop the only task; left out means 100 %.",
        "rolling": "Deployments roll under the ECS controller: no blue/green, canary, linear or external ones.",
        "rebalancing": "Availability zone rebalancing is not on.",
        "autoscaling": "No scaling target goes above one task.",
        "file-system": "No second service writes to the same files.",
        "started": "No event, schedule, state machine or function starts a second task.",
        "lock": "Volumes, containers and the kind of the lock are known.",
        "task-definition": "The service's task definition is in the stack, where it can be evaluated.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "singleWriters",
            "strings",
            ["*atlantis*", "*jenkins/jenkins*", "*jenkins-controller*", "*prom/prometheus", "*sonatype/nexus*"],
            "Images, containers, task families or services (with wildcards) that keep a lock file on their volume.",
        ),
        Option(
            "concurrentWriters",
            "strings",
            [],
            "Names or URNs (with wildcards) of services whose application handles several writers by itself.",
        ),
    ),
)
