"""single-task: a server with a lock file on a shared volume never runs as more than one task."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from evaluation.aws.file_locks import lock_writer, servers
from evaluation.aws.shared_places import Occupied, Place
from evaluation.aws.task_starters import Start, ecs_calls, starts
from evaluation.aws.tasks import JOB, Task, mounted_places, task_definitions, task_of
from evaluation.configuration import Option
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, at_least, integer, mappings, text
from tables.standards import WEAKNESSES

_SERVICE: Final = "ecs/service"
_TASK_SET: Final = "ecs/taskSet"
_CLUSTER: Final = "ecs/cluster"


class _Runner(NamedTuple):
    """A service, or a task set of a service, with one of its task definitions."""

    resource: Resource
    service: Resource | None
    task: Task


def _check(stack: Stack, findings: Findings) -> None:
    runners = list(_runners(stack, findings))
    patterns = findings.settings.strings("singleWriters")
    writers = [each for each in runners if lock_writer(stack, each.task, _named(each), findings, patterns)]
    for service in {each.service.urn: each.service for each in writers if each.service is not None}.values():
        _count(service, findings)
        _deployment(service, findings)
    _scaled(stack, [each.service for each in writers if each.service is not None], findings)
    _shared_file_systems(stack, writers, runners, findings)
    _started(stack, writers, findings, patterns)
    _others(stack, writers, findings, patterns)


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


def _tasks(stack: Stack, runner: Resource, findings: Findings) -> list[Task]:
    if _handles_writers(runner, findings):
        return []
    tasks = task_definitions(stack, runner, "taskDefinition")
    if not tasks and runner.at("taskDefinition") is not None:
        why = "names a task definition outside of this stack"
        findings.not_evaluated(runner, "task-definition", "taskDefinition", why)
    return [task_of(task) for task in tasks]


def _count(service: Resource, findings: Findings) -> None:
    desired = service.stated("desiredCount")
    if desired is UNKNOWN:
        findings.not_evaluated(service, "desired-count", "desiredCount")
    elif at_least(desired, 2):
        what = f"desiredCount is {integer(desired)}, but only one task can hold the lock file"
        remedy = "set desiredCount to 1, or use Redis locking"
        findings.violation(service, "desired-count", "desiredCount", what, remedy)
    if service.at("schedulingStrategy") == "DAEMON":
        what = "schedulingStrategy is DAEMON, which runs a task on every container instance"
        remedy = "set schedulingStrategy to REPLICA and desiredCount to 1"
        findings.violation(service, "desired-count", "schedulingStrategy", what, remedy)


def _deployment(service: Resource, findings: Findings) -> None:
    for path, limit, default, check, consequence in (
        ("deploymentMaximumPercent", 100, 200, "maximum-percent", "starts the new task before it stops the old one"),
        ("deploymentMinimumHealthyPercent", 0, 100, "minimum-healthy", "can't stop the old task first"),
    ):
        value = service.stated(path)
        if value is UNKNOWN:
            findings.not_evaluated(service, check, path)
            continue
        percent = integer(value)
        if percent is None or percent > limit:
            stated = f"{path} is {percent}" if percent is not None else f"{path} is not set (default {default})"
            what = f"{stated}, so a deployment {consequence}"
            remedy = f"set {path} to {limit}, so that ECS stops the old task before it starts the new one"
            findings.violation(service, check, path, what, remedy)
    for path, expected, what in (
        (
            "deploymentController.type",
            "ECS",
            "a deployment controller other than ECS runs old and new tasks at the same time",
        ),
        (
            "deploymentConfiguration.strategy",
            "ROLLING",
            "this deployment strategy runs old and new tasks at the same time",
        ),
    ):
        value = service.stated(path)
        if value is UNKNOWN:
            findings.not_evaluated(service, "rolling", path)
        elif value not in (None, "", expected):
            findings.violation(service, "rolling", path, f"{path}: {what}", f"set {path} to {expected}, or remove it")
    if service.at("availabilityZoneRebalancing") == "ENABLED":
        what = "availabilityZoneRebalancing is ENABLED, which starts a second task before it stops the first"
        findings.violation(
            service, "rebalancing", "availabilityZoneRebalancing", what, "set availabilityZoneRebalancing to DISABLED"
        )


# Type, path of the actions that set a capacity (empty: the resource itself), and the properties that name cluster and service.
_SCALING: Final = (
    ("autoscalingplans/scalingPlan", "scalingInstructions", "maxCapacity"),
    ("appautoscaling/target", "", "maxCapacity"),
    ("appautoscaling/target", "scheduledActions", "scalableTargetAction.maxCapacity"),
    ("appautoscaling/target", "scheduledActions", "scalableTargetAction.minCapacity"),
    ("appautoscaling/scheduledAction", "", "scalableTargetAction.maxCapacity"),
    ("appautoscaling/scheduledAction", "", "scalableTargetAction.minCapacity"),
)


def _scaled(stack: Stack, services: list[Resource], findings: Findings) -> None:
    """Scaling targets and scheduled actions that allow a second task, and blue/green deployments by CodeDeploy."""
    by_name: dict[str, list[Resource]] = {}
    for service in services:
        by_name.setdefault(text(service.at("name")) or "", []).append(service)
    own = {service.urn for service in services}
    for canonical, actions, capacity in _SCALING:
        for target in stack.of(canonical):
            listed = mappings(target.at(actions)) if actions else [(0, target.properties)]
            for index, action in listed:
                if _scales(stack, target, {**target.properties, **action}, own, by_name):
                    path = f"{actions}[{index}].{capacity}" if actions else capacity
                    _capacity(target, path, at(action, capacity), findings)
    for caller, operation, call in stack.once(ecs_calls) if services else ():
        most = call.get("DesiredCount")
        if (
            operation == "updateservice"
            and at_least(most, 2)
            and _are_named(stack, by_name, call.get("Service"), call.get("Cluster"))
        ):
            what = f"it sets the service's desired count to {integer(most)}, but only one task can hold the lock file"
            findings.violation(
                caller, "autoscaling", "", what, "remove the call, or set its DesiredCount to 1", value=most
            )
    for group in stack.of("codedeploy/deploymentGroup"):
        name, cluster = group.at("ecsService.serviceName"), group.at("ecsService.clusterName")
        if _are_named(stack, by_name, name, cluster) or any(
            each.urn in own for each in stack.dependencies(group, "ecsService", _SERVICE)
        ):
            what = "CodeDeploy's blue/green deployment runs old and new tasks of the service at the same time"
            remedy = "remove the deployment group, and use the ECS deployment controller"
            findings.violation(group, "rolling", "ecsService", what, remedy)


def _capacity(target: Resource, path: str, most: Any, findings: Findings) -> None:
    if most is UNKNOWN:
        findings.not_evaluated(target, "autoscaling", path)
    elif at_least(most, 2):
        what = f"{path} is {integer(most)}, but the service has a lock file that only one task can hold"
        remedy = f"remove the scaling target, or set {path} to 1"
        findings.violation(target, "autoscaling", path, what, remedy, value=most)


def _scales(
    stack: Stack, target: Resource, action: dict[str, Any], own: set[str], by_name: dict[str, list[Resource]]
) -> bool:
    """Whether an action is for one of the services, by ``service/cluster/name`` or by a dependency on the service."""
    if action.get("serviceNamespace") not in (None, "ecs", UNKNOWN):
        return False
    names = ("resourceId", "scalingInstructions")
    if any(service.urn in own for name in names for service in stack.dependencies(target, name, _SERVICE)):
        return True
    identity = action.get("resourceId")
    if not isinstance(identity, str) or identity.count("/") != 2:
        return False
    kind, cluster, name = identity.split("/")
    return kind == "service" and _are_named(stack, by_name, name, cluster)


def _are_named(stack: Stack, by_name: Mapping[str, list[Resource]], name: Any, cluster: Any) -> bool:
    """Whether these are the names or the ARNs of one of the services and of its cluster."""
    service, cluster = (
        (text(value) or default).rpartition("/")[2] for value, default in ((name, ""), (cluster, "default"))
    )
    return any(_cluster_name(stack, each) in (None, cluster) for each in by_name.get(service, ()) if service)


def _cluster_name(stack: Stack, service: Resource) -> str | None:
    """The name of the cluster that a service runs in; None if it is unknown."""
    value = service.at("cluster")
    linked = stack.linked(service, "cluster", _CLUSTER)
    if linked and text(linked[0].at("name")):
        return text(linked[0].at("name"))
    return value.rpartition("/")[2] if isinstance(value, str) else None


def _shared_file_systems(stack: Stack, writers: list[_Runner], runners: list[_Runner], findings: Findings) -> None:
    """Report each runner that writes to the files of a writer; of two writers, the second."""
    writing = {id(writer) for writer in writers}
    everyone = _taken(stack, writers)
    earlier: Occupied[_Runner] = Occupied()
    for runner in runners:
        writes = id(runner) in writing
        if not writes and not _may_be_writer(runner):
            continue
        own = runner.task.places(stack)
        _compare(runner, own, earlier if writes else everyone, findings)
        if writes:
            for place in own:
                earlier.add(place, runner)


def _compare(runner: _Runner, own: list[Place], taken: Occupied[_Runner], findings: Findings) -> None:
    def foreign(writer: _Runner) -> bool:
        """Whether it isn't the same service, whose rolling update another check evaluates."""
        return writer.resource is not runner.resource

    shared = next((writer for place in own if (writer := taken.sharing(place, foreign)) is not None), None)
    if shared is not None:
        what = f"it writes to the same files as {shared.resource.name}"
        remedy = "use a separate file system or access point for each, or use Redis locking"
        findings.violation(runner.resource, "file-system", "taskDefinition", what, remedy, value=shared.resource.urn)
    elif any(taken.undecided(place, foreign) for place in own):
        why = "uses an access point of another stack, whose directory is unknown"
        findings.not_evaluated(runner.task.resource, "file-system", "volumes", why)


def _may_be_writer(runner: _Runner) -> bool:
    """Whether the containers are unknown, so that the task may be a second server on the same files."""
    return runner.task.containers is None and runner.task.may_write


def _started(stack: Stack, writers: list[_Runner], findings: Findings, patterns: list[str]) -> None:
    owners = {writer.task.resource.urn: writer for writer in reversed(writers)}
    taken = _taken(stack, writers)
    for start in starts(stack, findings):
        owner = owners.get(start.task.urn)
        if owner is None and not lock_writer(stack, task_of(start.task), (start.starter,), findings, patterns):
            continue
        what = _second_start(stack, start, owner, taken)
        if what:
            remedy = "start the task only through its service, or use a separate file system for it"
            findings.violation(start.starter, "started", "", what, remedy, value=(start.count, start.task.urn))


def _taken(stack: Stack, writers: list[_Runner]) -> Occupied[_Runner]:
    taken: Occupied[_Runner] = Occupied()
    for writer in writers:
        for place in writer.task.places(stack):
            taken.add(place, writer)
    return taken


def _others(stack: Stack, writers: list[_Runner], findings: Findings, patterns: list[str]) -> None:
    """Report Batch jobs that run the server on its files, and what else mounts them, since any function or build may write."""
    taken = _taken(stack, writers)
    remedy = "use a separate file system or access point for it"
    for job in map(task_of, stack.of(JOB) if writers else ()):
        shared = next((owner for place in job.places(stack) if (owner := taken.sharing(place, _anyone))), None)
        if shared is not None and job.may_write and servers(job, (job.resource,), patterns) != []:
            what = f"its job runs the server on the files of {shared.resource.name}"
            findings.violation(job.resource, "started", "", what, remedy, value=shared.resource.urn)
    points = {place.access_point: writer for writer in writers for place in writer.task.places(stack)}
    for user in stack.of("lambda/function", "codebuild/project") if writers else ():
        owners = (
            taken.sharing(place, _anyone) if place.system else points.get(place.access_point)
            for place in mounted_places(stack, user)
        )
        shared = next((owner for owner in owners if owner is not None), None)
        if shared is not None:
            what = f"it mounts the files of {shared.resource.name}, and can write to them"
            findings.violation(user, "file-system", "fileSystemConfig.arn", what, remedy, value=shared.resource.urn)


def _anyone(_owner: _Runner) -> bool:
    return True


def _second_start(stack: Stack, start: Start, owner: _Runner | None, taken: Occupied[_Runner]) -> str:
    if start.count > 1:
        return f"it starts {start.count} tasks at a time, but only one task can hold the lock file"
    shared = owner
    for place in task_of(start.task).places(stack) if shared is None else ():
        shared = shared or taken.sharing(place, _anyone)
    return f"it starts another task that uses the lock file of {shared.resource.name}" if shared is not None else ""


RULE: Final = Rule(
    name="single-task",
    title="Single task",
    description="A server with a lock file on a shared volume never runs as more than one task.",
    why=(
        "Only one process can hold a lock file on a shared file system. A second task, started by the desired count, a"
        " deployment, rebalancing, auto scaling or a schedule, fails while it waits for the lock, or writes to the same files."
        " No AWS control covers this. The policy applies only to applications in singleWriters, and not if"
        " ATLANTIS_LOCKING_DB_TYPE of the server's container is redis or the volume is mounted read-only."
    ),
    severity="critical",
    level="mandatory",
    native=True,
    controls=("CWE-667",),
    standard=WEAKNESSES,
    remediation=(
        "Set desiredCount to 1, deploymentMaximumPercent to 100, deploymentMinimumHealthyPercent to 0 and"
        " availabilityZoneRebalancing to DISABLED. Use the ECS deployment controller with rolling deployments. Remove scaling"
        " targets and schedules. If the application supports several writers, add its service to concurrentWriters."
    ),
    checks={
        "desired-count": "desiredCount is at most 1.",
        "maximum-percent": "A deployment never runs more than one task. The default of ECS is 200 %.",
        "minimum-healthy": "A deployment can stop the only task. The default of ECS is 100 %.",
        "rolling": "Services use rolling deployments of the ECS controller, not blue/green (CodeDeploy), canary, linear or external.",
        "rebalancing": "Availability Zone rebalancing isn't enabled.",
        "autoscaling": "Scaling targets and plans, scheduled actions, schedules, state machines and runbooks set at most one task.",
        "file-system": "Only one service, and no function or build, writes to the same files.",
        "started": "No EventBridge rule, schedule, state machine, runbook, build, function or Batch job starts a second task.",
        "lock": "Volumes, containers and the type of the lock are known.",
        "task-definition": "The service's task definition is part of the stack, so that it can be evaluated.",
    },
    whole_stack=_check,
    settings=(
        Option(
            "singleWriters",
            "strings",
            ["*/atlantis", "*jenkins/jenkins*", "*jenkins-controller*", "*prom/prometheus", "*sonatype/nexus*"],
            "Images (with a slash), containers, task families or services that keep a lock file on their volume. * and ? are wildcards."
            " Atlantis is also recognized by its command, by the variables that its server reads (ATLANTIS_*), by the port 4141 of"
            " the service, and by the whole name of container, family or service.",
        ),
        Option(
            "concurrentWriters",
            "strings",
            [],
            "Names or URNs of services whose application supports several writers. * and ? are wildcards.",
        ),
    ),
)
