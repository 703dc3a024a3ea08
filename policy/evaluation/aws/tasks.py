"""One model of what runs containers with volumes: ECS task definitions and AWS Batch job definitions."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from evaluation.aws.shared_places import Place
from evaluation.aws.task_definitions import CONTAINERS, TASK
from evaluation.resources import Resource, Stack
from evaluation.values import MALFORMED, UNKNOWN, at, each_at, integer, mapping, mappings, parse_json, sequence, text

JOB: Final = "batch/jobDefinition"
# The parts of a job definition that have containers and volumes: property, and path in its document.
_JOB_PARTS: Final = (
    ("containerProperties", ""),
    ("ecsProperties", "taskProperties"),
    ("nodeProperties", "nodeRangeProperties.container"),
    ("nodeProperties", "nodeRangeProperties.ecsProperties.taskProperties"),
)
# The volumes of managed file systems: block, and its properties with the file system and the access point.
_MANAGED: Final = (
    ("efsVolumeConfiguration", "fileSystemId", "authorizationConfig.accessPointId"),
    ("s3filesVolumeConfiguration", "fileSystemArn", "accessPointArn"),
    ("fsxWindowsFileServerVolumeConfiguration", "fileSystemId", ""),
)
_EFS: Final = re.compile(r"\bfs-\w+")
# Host paths that contain no application data.
_SYSTEM_PATHS: Final = ("/var/run/", "/run/", "/proc", "/sys", "/dev", "/etc/", "/var/lib/docker", "/cgroup")


@dataclass(frozen=True)
class Container:
    """A container: what it runs, what its environment says, its ports, and the volumes that it can write to.

    variables: names and values of ``environment``; of a name that occurs twice, the last value counts. writes: the names of
    the volumes that it mounts itself or takes from other containers (``volumesFrom``), unless read-only.
    """

    name: str
    repository: str
    words: tuple[str, ...]
    variables: dict[str, Any]
    secrets: frozenset[str]
    ports: frozenset[int | None]
    writes: frozenset[str]


@dataclass(frozen=True)
class Task:
    """Containers, None if they are unknown, and the volumes on storage that outlives a task."""

    resource: Resource
    containers: tuple[Container, ...] | None
    volumes: tuple[dict[str, Any], ...] = field(default=())

    def writers(self, containers: Iterable[Container]) -> list[Container]:
        """Those of the containers that can write to a shared volume."""
        names = {volume["name"] for volume in self.volumes}
        return [container for container in containers if container.writes & names]

    @property
    def may_write(self) -> bool:
        """Whether it writes to a shared volume, or could because its containers are unknown."""
        return bool(self.volumes) and (self.containers is None or bool(self.writers(self.containers)))

    def places(self, stack: Stack) -> list[Place]:
        """The places that its shared volumes mount."""
        return [place for volume in self.volumes for place in _places(stack, self.resource, volume)]


def task_of(resource: Resource) -> Task:
    """The model of a task definition or a job definition."""
    if resource.type != JOB:
        definitions = parse_json(resource.at(CONTAINERS))
        known = None if definitions in (UNKNOWN, MALFORMED) else [each for _, each in mappings(definitions)]
        return _task(resource, known, resource.at("volumes"))
    parts = [part for _, part in job_parts(resource)]
    if UNKNOWN in parts:
        return _task(resource, None, [])
    found = [inner for part in map(mapping, parts) for inner in sequence(part.get("containers", part))]
    volumes = [volume for part in map(mapping, parts) for volume in sequence(part.get("volumes"))]
    return _task(resource, [each for each in map(mapping, found) if each], volumes)


def job_parts(job: Resource) -> Iterator[tuple[str, Any]]:
    """What has containers and volumes in a job definition, each with its top-level property."""
    for name, path in _JOB_PARTS:
        content = parse_json(job.at(name))
        for part in each_at(content, path) if path else [content]:
            yield name, part


def _task(resource: Resource, definitions: list[dict[str, Any]] | None, volumes: Any) -> Task:
    shared = tuple(volume for _, volume in mappings(volumes) if _shared(volume))
    if definitions is None:
        return Task(resource, None, shared)
    by_name = {text(each.get("name")): each for each in definitions}
    return Task(resource, tuple(_container(each, by_name) for each in definitions), shared)


def _container(definition: dict[str, Any], others: dict[str | None, dict[str, Any]]) -> Container:
    image = (text(definition.get("image")) or "").partition("@")[0]
    folder, _, last = image.rpartition("/")
    words = [*sequence(definition.get("entryPoint")), *sequence(definition.get("command"))]
    return Container(
        name=text(definition.get("name")) or "",
        repository=f"{folder}/{last.partition(':')[0]}".lstrip("/"),
        words=tuple(word for word in words if isinstance(word, str)),
        variables={
            each["name"]: each.get("value")
            for _, each in mappings(definition.get("environment"))
            if isinstance(each.get("name"), str)
        },
        secrets=frozenset(text(each.get("name")) or "" for _, each in mappings(definition.get("secrets"))),
        ports=frozenset(integer(each.get("containerPort")) for _, each in mappings(definition.get("portMappings"))),
        writes=frozenset(_writes(definition, others, set())),
    )


def _writes(
    definition: dict[str, Any], others: dict[str | None, dict[str, Any]], seen: set[str | None]
) -> Iterator[str]:
    for _, mount in mappings(definition.get("mountPoints")):
        if mount.get("readOnly") is not True and isinstance(mount.get("sourceVolume"), str):
            yield mount["sourceVolume"]
    for _, source in mappings(definition.get("volumesFrom")):
        name = text(source.get("sourceContainer"))
        if source.get("readOnly") is not True and name in others and name not in seen:
            yield from _writes(others[name], others, seen | {name})


def _shared(volume: dict[str, Any]) -> bool:
    if not isinstance(volume.get("name"), str):
        return False
    if any(volume.get(block) is not None for block, _, _ in _MANAGED):
        return True
    host = _host(volume)
    if host is not None:
        return not f"{host}/".startswith(_SYSTEM_PATHS) and not host.endswith(".sock")
    return _nfs(volume) is not None


def _host(volume: dict[str, Any]) -> str | None:
    """The path on the host, which a Docker volume can mount too."""
    options = mapping(at(volume, "dockerVolumeConfiguration.driverOpts"))
    bound = options.get("device") if "bind" in str(options.get("o")) else None
    return text(volume.get("hostPath")) or text(at(volume, "host.sourcePath")) or text(bound)


def _nfs(volume: dict[str, Any]) -> str | None:
    """The server and export of a Docker volume on NFS, EFS or SMB, or the name of a shared Docker volume."""
    options = mapping(at(volume, "dockerVolumeConfiguration.driverOpts"))
    if str(options.get("type", "")).startswith(("nfs", "efs", "cifs")):
        return f"{options.get('o')}:{options.get('device')}"
    return str(volume.get("name")) if at(volume, "dockerVolumeConfiguration.scope") == "shared" else None


def _places(stack: Stack, task: Resource, volume: dict[str, Any]) -> Iterator[Place]:
    for block, identity, point in _MANAGED:
        configuration = at(volume, block)
        if configuration is not None:
            root = text(at(configuration, "rootDirectory")) or "/"
            for system in _systems(stack, task, at(configuration, identity), _volumes(task)):
                yield _entered(stack, task, system, root, at(configuration, point))
            return
    host = _host(volume)
    yield Place("host", host) if host else _exported(stack, str(_nfs(volume)))


def _exported(stack: Stack, export: str) -> Place:
    """The place of an NFS export, such as ``fs-1.efs.eu-west-1.amazonaws.com:/a``: of EFS, the one of its other volumes."""
    identity = _EFS.search(export)
    if identity is None:
        return Place(f"nfs:{export}", "/")
    system = stack.by_identity(identity[0], "efs/fileSystem")
    return Place(system.urn if system else identity[0], f"/{export.partition(':/')[2]}")


def _systems(stack: Stack, user: Resource, identity: Any, name: str) -> list[str]:
    known = stack.by_identity(identity, "efs/fileSystem")
    if known is not None:
        return [known.urn]
    if isinstance(identity, str):
        return [identity]
    return [each.urn for each in stack.dependencies(user, name, "efs/fileSystem")]


def _entered(stack: Stack, task: Resource, system: str, root: str, access_point: Any) -> Place:
    """The place that a volume mounts through its root directory or its access point."""
    if access_point in (None, ""):
        return Place(system, root)
    point = stack.by_identity(access_point, "efs/accessPoint")
    if point is None and access_point is UNKNOWN:
        candidates = stack.dependencies(task, _volumes(task), "efs/accessPoint")
        point = candidates[0] if len(candidates) == 1 else None
    directory = point.at("rootDirectory.path") if point is not None else UNKNOWN
    if isinstance(directory, str) or (point is not None and directory is None):
        return Place(system, directory or "/")
    return Place(system, "/", point.urn if point is not None else text(access_point) or "unknown")


def _volumes(task: Resource) -> str:
    """The property of a task definition or a job definition that contains the volumes."""
    return "containerProperties" if task.type == JOB else "volumes"


def mounted_places(stack: Stack, user: Resource) -> list[Place]:
    """The places that a CodeBuild project or a Lambda function mounts.

    A function mounts an access point; its place has no system if the access point is of another stack.
    """
    if user.type == "codebuild/project":
        locations = each_at(user.properties, "fileSystemLocations.location")
        return [_exported(stack, location) for location in locations if isinstance(location, str)]
    points = stack.linked(user, "fileSystemConfig.arn", "efs/accessPoint")
    arn = text(user.at("fileSystemConfig.arn"))
    if arn and not points:
        return [Place("", "/", arn.rpartition("/")[2])]
    return [
        Place(system, text(point.at("rootDirectory.path")) or "/")
        for point in points
        for system in _systems(stack, point, point.at("fileSystemId"), "fileSystemId")
    ]


def task_definitions(stack: Stack, runner: Resource, path: str) -> list[Resource]:
    """The task definitions of the stack that a property names by ARN, ``family:revision`` or family."""
    return named_tasks(stack, [runner.at(path)]) or stack.linked(runner, path, TASK)


def named_tasks(stack: Stack, names: Iterable[Any]) -> list[Resource]:
    """The task definitions of the stack with one of these ARNs, families or ``family:revision``."""
    families = dict.fromkeys(_family(name) for name in names if isinstance(name, str) and name)
    known = stack.once(_tasks_by_family)
    return [task for family in families for task in known.get(family, ())]


def _tasks_by_family(stack: Stack) -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for task in stack.of(TASK):
        family = text(task.at("family"))
        if family is not None:
            found.setdefault(family, []).append(task)
    return found


def _family(name: str) -> str:
    return name.rpartition("task-definition/")[2].partition(":")[0]
