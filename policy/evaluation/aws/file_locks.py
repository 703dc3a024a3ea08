"""Recognizes the tasks that run a server with a lock file on a shared volume."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from evaluation.aws.task_definitions import CONTAINERS
from evaluation.aws.tasks import Container, Task
from evaluation.resources import Resource, Stack
from evaluation.rule import Findings
from evaluation.values import UNKNOWN, each_at, integer, text

_REDIS: Final = (
    "elasticache/replicationGroup",
    "elasticache/cluster",
    "elasticache/serverlessCache",
    "memorydb/cluster",
)
_LOCKING_VARIABLE: Final = "ATLANTIS_LOCKING_DB_TYPE"
_LOCKING_FLAG = re.compile(r"--locking-db-type[= ](\w+)")
# Variables that only the Atlantis server reads, regardless of its image's name.
_SERVER_VARIABLE = re.compile(
    r"ATLANTIS_(REPO_(ALLOW|WHITE)LIST|DATA_DIR|ATLANTIS_URL|LOCKING_DB_TYPE|PORT|(GH|GITLAB|BITBUCKET|AZUREDEVOPS|GITEA)_)"
)
_SERVER_COMMAND = re.compile(r"(^|[\s/])atlantis\s+server\b|--(atlantis-url|repo-(allow|white)list)\b")
_COMPONENT: Final = "atlantis:index:Atlantis$"
# Nothing but the server, an environment or a kind: atlantis, atlantis-prod, staging-atlantis-server.
_ENVIRONMENT: Final = r"(prod|production|dev|development|stage|staging|test|qa|uat|local|main|ci|server|service|task)"
_WHOLE_NAME: Final = re.compile(rf"({_ENVIRONMENT}[-_])*atlantis([-_]({_ENVIRONMENT}|[0-9a-f]{{7}}))*", re.IGNORECASE)
_PORT: Final = 4141  # the default of Atlantis' --port


def servers(task: Task, runners: Sequence[Resource], patterns: list[str]) -> list[Container] | None:
    """The containers of a task that run a server with a lock file; empty if none does.

    They are recognized by image, command and variables, otherwise by the names of container, family and service, since an
    image in one's own registry can have any name. None if the containers are unknown, and the names are such a server's.
    """
    names = [
        name
        for name in (
            text(task.resource.at("family")),
            *(name for runner in runners for name in (runner.name, text(runner.at("name")))),
        )
        if name
    ]
    ports = {integer(port) for runner in runners for port in each_at(runner.properties, "loadBalancers.containerPort")}
    ports.update(port for container in task.containers or () for port in container.ports)
    named = (
        any(_matches(name, patterns) or _WHOLE_NAME.fullmatch(name) for name in names)
        or _COMPONENT in task.resource.urn
        or _PORT in ports
    )
    if task.containers is None:
        return None if named else []
    known = [each for each in task.containers if _is_server(each, patterns)]
    called = [each for each in task.containers if _WHOLE_NAME.fullmatch(each.name)]
    return known or called or (list(task.containers) if named else [])


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _is_server(container: Container, patterns: list[str]) -> bool:
    words = [container.name, container.repository, f"/{container.repository}", *container.words[:2]]
    return (
        any(_matches(word, patterns) for word in words if word)
        or any(_SERVER_VARIABLE.match(name) for name in (*container.secrets, *container.variables))
        or bool(_SERVER_COMMAND.search(" ".join(container.words)))
    )


def lock_writer(
    stack: Stack, task: Task, runners: tuple[Resource, ...], findings: Findings, patterns: list[str]
) -> bool:
    """Whether a task is a server that writes to a shared volume with a lock file.

    Unknown containers count as such a server if a name matches: otherwise a preview, where the values are unknown, would
    allow two writers. If the containers depend on a Redis of the stack, the locks are assumed to be in Redis.
    """
    found = servers(task, runners, patterns)
    if task.resource.stated("volumes") is UNKNOWN:
        if found != [] or task.containers is None:
            findings.not_evaluated(task.resource, "lock", "volumes")
        return False
    if not task.volumes:
        return False
    if found is None:
        in_redis = any(stack.dependencies(task.resource, CONTAINERS, store) for store in _REDIS)
        if in_redis:
            findings.not_evaluated(task.resource, "lock", CONTAINERS)
        return not in_redis
    if not found and task.containers is None:
        findings.not_evaluated(task.resource, "lock", CONTAINERS)
    return any(not _locks_in_redis(task, each, findings) for each in task.writers(found))


def _locks_in_redis(task: Task, container: Container, findings: Findings) -> bool:
    """Whether a server keeps its locks in Redis: by its flag or else its variable, which other containers don't set for it."""
    flag = _LOCKING_FLAG.findall(" ".join(container.words))
    if flag or _LOCKING_VARIABLE not in container.secrets:
        value = flag[-1] if flag else container.variables.get(_LOCKING_VARIABLE)
        return (text(value) or "").lower() == "redis"
    findings.not_evaluated(task.resource, "lock", CONTAINERS, "reads the type of its lock from a secret")
    return True
