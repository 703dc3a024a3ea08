"""Finds the tasks that run a server with a lock file on a shared volume, and where they write."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from evaluation.aws.shared_places import Place
from evaluation.aws.task_definitions import CONTAINERS, TASK, readable_containers, variables
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, at, each_at, integer, mapping, mappings, sequence, text

__all__ = ["lock_writer", "may_write", "named_tasks", "places", "task_definitions"]

_REDIS: Final = (
    "elasticache/replicationGroup",
    "elasticache/cluster",
    "elasticache/serverlessCache",
    "memorydb/cluster",
)
_LOCKING_VARIABLE: Final = "ATLANTIS_LOCKING_DB_TYPE"
_LOCKING_FLAG = re.compile(r"--locking-db-type[= ]redis\b")
# Variables that only the Atlantis server reads, regardless of its image's name.
_SERVER_VARIABLE = re.compile(
    r"ATLANTIS_(REPO_(ALLOW|WHITE)LIST|DATA_DIR|ATLANTIS_URL|LOCKING_DB_TYPE|PORT|(GH|GITLAB|BITBUCKET|AZUREDEVOPS|GITEA)_)"
)
_SERVER_COMMAND = re.compile(r"(^|[\s/])atlantis server\b")
_COMPONENT: Final = "atlantis:index:Atlantis$"
# Nothing but the server, an environment or a kind: atlantis, atlantis-prod, staging-atlantis-server.
_ENVIRONMENT: Final = r"(prod|production|dev|development|stage|staging|test|qa|uat|local|main|ci|server|service|task)"
_WHOLE_NAME: Final = re.compile(rf"({_ENVIRONMENT}[-_])*atlantis([-_]({_ENVIRONMENT}|[0-9a-f]{{7}}))*", re.IGNORECASE)
_PORT: Final = 4141  # the default of Atlantis' --port
# Host paths that contain no application data.
_SYSTEM_PATHS: Final = ("/var/run/", "/run/", "/proc", "/sys", "/dev", "/etc/", "/var/lib/docker", "/cgroup")


@dataclass(frozen=True)
class _Server:
    """The containers of a task that run a server with a lock file; None if they are unknown."""

    containers: list[dict[str, Any]] | None


def _server(task: Resource, runners: tuple[Resource, ...], patterns: list[str]) -> _Server | None:
    """The lock-file server in a task, recognized by image, container, variables or names; None if there is none."""
    names = [name for runner in runners for name in (runner.name, text(runner.at("name")))]
    named = any(_matches(name, patterns) for name in (text(task.at("family")), *names))
    containers = readable_containers(task)
    if containers is None:
        return _Server(None) if named or _is_atlantis(task, runners) else None
    own = [container for container in containers if _is_server(container, patterns)]
    return _Server(own or containers) if own or named else None


def _is_atlantis(task: Resource, runners: tuple[Resource, ...]) -> bool:
    """Whether a task whose containers are unknown is Atlantis: by its component, the server's port, or its whole name.

    A word in a name says nothing: a travel agency's shop can be called Atlantis too.
    """
    ports = [port for runner in runners for port in each_at(runner.properties, "loadBalancers.containerPort")]
    names = [text(task.at("family")), *(name for runner in runners for name in (runner.name, text(runner.at("name"))))]
    return (
        _COMPONENT in task.urn
        or any(integer(port) == _PORT for port in ports)
        or any(_WHOLE_NAME.fullmatch(name) for name in names if name)
    )


def _matches(name: str | None, patterns: list[str]) -> bool:
    return name is not None and any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _is_server(container: dict[str, Any], patterns: list[str]) -> bool:
    image = (text(container.get("image")) or "").partition("@")[0]
    repository = image.rpartition("/")[0] + "/" + image.rpartition("/")[2].partition(":")[0]
    repository = repository.lstrip("/")
    command = _words(container)
    words = [text(container.get("name")), repository, f"/{repository}" if repository else None, *command[:2]]
    secrets = [text(secret.get("name")) or "" for _, secret in mappings(container.get("secrets"))]
    return (
        any(_matches(word, patterns) for word in words)
        or any(_SERVER_VARIABLE.match(name) for name in (*secrets, *(name for _, name, _ in variables(container))))
        or bool(_SERVER_COMMAND.search(" ".join(command)))
    )


def _words(container: dict[str, Any]) -> list[str]:
    found = [*sequence(container.get("entryPoint")), *sequence(container.get("command"))]
    return [word for word in found if isinstance(word, str)]


def lock_writer(
    stack: Stack, task: Resource, runners: tuple[Resource, ...], findings: Findings, patterns: list[str]
) -> bool:
    """Whether a task is a server that writes to a shared volume with a lock file.

    Unknown containers count as such a server if a name matches: otherwise a preview, where the values are unknown, would
    allow two writers. If the containers depend on a Redis of the stack, the locks are assumed to be in Redis.
    """
    server = _server(task, runners, patterns)
    volumes = task.stated("volumes")
    if volumes is UNKNOWN:
        if server is not None or readable_containers(task) is None:
            findings.not_evaluated(task, "lock", "volumes")
        return False
    shared = {volume.get("name") for _, volume in mappings(volumes) if _shared(volume)}
    if not shared:
        return False
    if server is None:
        if readable_containers(task) is None:
            findings.not_evaluated(task, "lock", CONTAINERS)
        return False
    if server.containers is None:
        if any(stack.dependencies(task, CONTAINERS, store) for store in _REDIS):
            findings.not_evaluated(task, "lock", CONTAINERS)
            return False
        return True
    return not _locks_in_redis(task, server.containers, findings) and _writes(server.containers, shared)


def _locks_in_redis(task: Resource, containers: list[dict[str, Any]], findings: Findings) -> bool:
    for container in containers:
        for _, name, value in variables(container):
            if name == _LOCKING_VARIABLE and (text(value) or "").lower() == "redis":
                return True
        if _LOCKING_FLAG.search(" ".join(_words(container))):
            return True
        secrets = [secret.get("name") for _, secret in mappings(container.get("secrets"))]
        if _LOCKING_VARIABLE in secrets:
            findings.not_evaluated(task, "lock", CONTAINERS, "reads the type of its lock from a secret")
            return True
    return False


def _writes(containers: list[dict[str, Any]], volumes: set[Any]) -> bool:
    return any(
        mount.get("sourceVolume") in volumes and mount.get("readOnly") is not True
        for container in containers
        for _, mount in mappings(container.get("mountPoints"))
        if isinstance(mount.get("sourceVolume"), str)
    )


def may_write(task: Resource) -> bool:
    """Whether a task writes to a shared volume, or could because its containers are unknown."""
    containers = readable_containers(task)
    shared = {volume.get("name") for _, volume in mappings(task.at("volumes")) if _shared(volume)}
    return bool(shared) and (containers is None or _writes(containers, shared))


def _shared(volume: dict[str, Any]) -> bool:
    if not isinstance(volume.get("name"), str):
        return False
    if (
        volume.get("efsVolumeConfiguration") is not None
        or volume.get("fsxWindowsFileServerVolumeConfiguration") is not None
    ):
        return True
    host = text(volume.get("hostPath")) or text(at(volume, "host.sourcePath"))
    if host is not None:
        return not f"{host}/".startswith(_SYSTEM_PATHS) and not host.endswith(".sock")
    return _nfs(volume) is not None


def _nfs(volume: dict[str, Any]) -> str | None:
    """The server and export of a Docker volume on NFS, or the name of a shared Docker volume."""
    options = mapping(at(volume, "dockerVolumeConfiguration.driverOpts"))
    if str(options.get("type", "")).startswith("nfs"):
        return f"{options.get('o')}{options.get('device')}"
    return str(volume.get("name")) if at(volume, "dockerVolumeConfiguration.scope") == "shared" else None


def places(stack: Stack, task: Resource) -> list[Place]:
    """The places that the shared volumes of a task mount."""
    return [
        place for _, volume in mappings(task.at("volumes")) if _shared(volume) for place in _places(stack, task, volume)
    ]


def _places(stack: Stack, task: Resource, volume: dict[str, Any]) -> Iterator[Place]:
    for name in ("efsVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"):
        configuration = at(volume, name)
        if configuration is not None:
            root = text(at(volume, f"{name}.rootDirectory")) or "/"
            for system in _systems(stack, task, at(volume, f"{name}.fileSystemId")):
                yield _entered(stack, task, system, root, at(volume, f"{name}.authorizationConfig.accessPointId"))
            return
    host = text(volume.get("hostPath")) or text(at(volume, "host.sourcePath"))
    yield Place("host", host) if host else Place(f"nfs:{_nfs(volume)}", "/")


def _systems(stack: Stack, task: Resource, identity: Any) -> list[str]:
    known = stack.by_identity(identity, "efs/fileSystem")
    if known is not None:
        return [known.urn]
    if isinstance(identity, str):
        return [identity]
    return [each.urn for each in stack.dependencies(task, "volumes", "efs/fileSystem")]


def _entered(stack: Stack, task: Resource, system: str, root: str, access_point: Any) -> Place:
    """The place that a volume mounts through its root directory or its access point."""
    if access_point in (None, ""):
        return Place(system, root)
    point = stack.by_identity(access_point, "efs/accessPoint")
    if point is None and access_point is UNKNOWN:
        candidates = stack.dependencies(task, "volumes", "efs/accessPoint")
        point = candidates[0] if len(candidates) == 1 else None
    directory = point.at("rootDirectory.path") if point is not None else UNKNOWN
    if isinstance(directory, str) or (point is not None and directory is None):
        return Place(system, directory or "/")
    return Place(system, "/", point.urn if point is not None else text(access_point) or "unknown")


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
