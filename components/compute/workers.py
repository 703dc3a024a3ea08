"""Terraform in workers: the server's container `agent`, which hands the commands out, and the workers' containers.

`docker/isolation/README.md` describes the programs and their paths, which the image has.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from ..names import REPOSITORY_TAG
from ..parts import Parts
from ..secrets.secrets import WORKERS_KEY
from ..settings.groups import PROJECT, DriftArgs
from ..settings.workers import PORT, WorkerGroup
from . import outbound
from .container import HARDENED, NO_CAPABILITIES, TaskLogs, awslogs, image_of, mount, secrets, variables
from .server_container import (
    AGENT,
    DATA_DIRECTORY,
    WEB_USER,
    WORKERS_DIRECTORY,
    WORKERS_VOLUME,
    page_and_api_secrets,
    reference,
    server_user,
    vcs_secrets,
)

KEY = "WORKERS_KEY"
PROGRAMS = "/opt/atlantis-isolation/bin"
_RUN = "/run/isolation"
_STOP_TIMEOUT = 120
"""Seconds between SIGTERM and SIGKILL, the maximum on Fargate: an interrupted apply releases its lock."""
_DISK_SHARE = 0.25
"""Share of a worker's disk that the copy of one checkout may have, with its providers and temporary files."""
_AGENT_CPU_SHARE = 0.25
"""Share of the agent, through which the traffic of all commands goes, where extra containers have CPU units."""

# Docker's default capabilities that neither user switching nor file ownership needs. Fargate can drop capabilities, but not add.
_UNUSED_BY_EXECUTORS = ("AUDIT_WRITE", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT")
# The addresses lead to the worker's task role. No process of the container has them after `exec`.
_START = (
    "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN "
    "ECS_CONTAINER_METADATA_URI ECS_CONTAINER_METADATA_URI_V4 ECS_AGENT_URI\n"
    f'exec {PROGRAMS}/executor "$@"'
)


def agent_cpu(task: int) -> int:
    """CPU units of the agent in a server's task with `task` units for the stack's containers."""
    return int(task * _AGENT_CPU_SHARE)


def agent(parts: Parts, logs: TaskLogs, *, cpu: int) -> Mapping[str, object]:
    """The container of the server's task that knows the workers, connects commands to them, and detects drift.

    `cpu`: units, or 0 where no other container has some.
    """
    settings, names = parts.settings, parts.context.names
    services = {
        group.role: {"service": names.workers(group.role), "commands": group.commands}
        for group in settings.worker_groups
    }
    workers = {
        "cluster": names.cluster,
        "port": PORT,
        "wait_minutes": settings.workers.worker_wait_minutes,
        "server_service": names.base,
        "server_user": server_user(parts),
        **services,
    }
    environment: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_GH_HOSTNAME": settings.server.github_hostname,
        "ATLANTIS_PORT": str(settings.task.container_port),
        "AWS_REGION": names.region,
        "ISOLATION_MODULE_REPOSITORIES": " ".join(settings.terraform.module_repositories),
        "WORKERS": json.dumps(workers),
        **(_drift_environment(parts) if settings.drift.enabled else {}),
        **outbound.environment(settings.outbound, names, settings.vpc_endpoints),
    }
    references: dict[str, pulumi.Input[str]] = {
        **vcs_secrets(parts),
        KEY: reference(parts, "workers", WORKERS_KEY),
        # Drift detection plans through the API, and deletes its locks with the password.
        **(page_and_api_secrets(parts) if settings.drift.enabled else {}),
    }
    return {
        "name": AGENT,
        "image": image_of(parts),
        **({"cpu": cpu} if cpu else {}),
        # Without it, no command starts: ECS replaces the task.
        "essential": True,
        **HARDENED,
        # Root owns the volume; it needs no capability for it.
        "user": "0",
        "linuxParameters": NO_CAPABILITIES,
        **outbound.waits(settings.outbound),
        "entryPoint": [f"{PROGRAMS}/agent"],
        "command": [],
        "environment": variables({name: value for name, value in environment.items() if value}),
        "secrets": secrets(references),
        "mountPoints": [mount(WORKERS_VOLUME, WORKERS_DIRECTORY), *outbound.mounts(settings.outbound)],
        "stopTimeout": 10,
        "logConfiguration": awslogs(logs.agent_group or logs.group, names.region, AGENT),
    }


def volumes() -> list[aws.ecs.TaskDefinitionVolumeArgsDict]:
    """Volumes of a worker on the task's disk, which end with the task."""
    return [{"name": name} for name in ("executor", "broker", "work", "tmp")]


def containers(parts: Parts, group: WorkerGroup, logs: TaskLogs) -> list[Mapping[str, object]]:
    """The definitions of a worker's containers. If one ends, ECS replaces the worker."""
    return [_executor(parts, group, logs), _worker_agent(parts, group, logs), _tls(parts, group, logs)]


def _executor(parts: Parts, group: WorkerGroup, logs: TaskLogs) -> Mapping[str, object]:
    settings, names = parts.settings, parts.context.names
    minutes = settings.workers.apply_continues_minutes
    others = [{"containerName": name, "condition": "START"} for name in ("tls", AGENT)]
    return {
        **_common(parts, group, "executor", logs),
        # Also the order of a stop: an interrupted command has its session and its connection until it has ended.
        "dependsOn": [*outbound.dependencies(settings.outbound), *others],
        # It runs each checkout as a different user.
        "linuxParameters": {"capabilities": {"drop": list(_UNUSED_BY_EXECUTORS)}},
        "entryPoint": ["/bin/sh", "-c", _START, "executor"],
        "command": [
            *(group.role, "--commands", str(group.commands)),
            *("--largest-copy", str(int(group.ephemeral_storage * _DISK_SHARE * (1 << 30)))),
            *(("--continues-minutes", str(minutes)) if group.role == "apply" else ()),
        ],
        "environment": variables(
            {
                "ATLANTIS_DATA_DIR": DATA_DIRECTORY,
                **outbound.environment(settings.outbound, names, settings.vpc_endpoints),
            }
        ),
        "mountPoints": [
            mount("executor", f"{_RUN}/executor"),
            mount("broker", f"{_RUN}/broker", read_only=True),
            mount("work", f"{DATA_DIRECTORY}/repos"),
            mount("tmp", "/tmp"),  # noqa: S108 a volume of this container alone
            *outbound.mounts(settings.outbound),
        ],
        # ECS starts it with the container's environment, as root: no user of a checkout can read that.
        "healthCheck": {
            "command": ["CMD", f"{PROGRAMS}/check-executor"],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 30,
        },
    }


def _worker_agent(parts: Parts, group: WorkerGroup, logs: TaskLogs) -> Mapping[str, object]:
    settings, names = parts.settings, parts.context.names
    patterns = settings.terraform.roles_of_repositories
    roles = {
        "default": names.role_arn(names.terraform_role(group.role)),
        "patterns": [[pattern, {"plan": plan, "apply": apply}[group.role]] for pattern, plan, apply in patterns],
        "tag": REPOSITORY_TAG,
    }
    environment = {
        "AWS_REGION": names.region,
        "ISOLATION_ROLES": json.dumps(roles),
        **outbound.environment(settings.outbound, names, settings.vpc_endpoints),
    }
    return {
        **_common(parts, group, AGENT, logs),
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": [f"{PROGRAMS}/worker-agent"],
        "command": [group.role],
        "environment": variables(environment),
        "mountPoints": [
            mount("broker", f"{_RUN}/broker"),
            mount("executor", f"{_RUN}/executor", read_only=True),
            *outbound.mounts(settings.outbound),
        ],
    }


def _tls(parts: Parts, group: WorkerGroup, logs: TaskLogs) -> Mapping[str, object]:
    return {
        **_common(parts, group, "tls", logs),
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": [f"{PROGRAMS}/tls-end"],
        "command": ["--port", str(PORT)],
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "secrets": secrets({KEY: reference(parts, "workers", WORKERS_KEY)}),
        "mountPoints": [mount("executor", f"{_RUN}/executor", read_only=True)],
    }


def _common(parts: Parts, group: WorkerGroup, name: str, logs: TaskLogs) -> dict[str, object]:
    return {
        "name": name,
        "image": image_of(parts),
        "essential": True,
        **HARDENED,
        "user": "0",
        **outbound.waits(parts.settings.outbound),
        "stopTimeout": _STOP_TIMEOUT,
        "logConfiguration": awslogs(logs.group, parts.context.names.region, group.role),
    }


def _drift_environment(parts: Parts) -> dict[str, pulumi.Input[str]]:
    """The agent's variables for drift detection."""
    settings, names = parts.settings, parts.context.names
    variables: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": settings.ingress.url,
        "DRIFT_DETECTION": _drift_document(settings.drift, settings.configuration.default_branch),
        "DRIFT_LOG_GROUP": names.agent_log_group,
        "DRIFT_LOG_ROLE": names.role_arn(names.drift_role),
    }
    return variables | ({"ATLANTIS_WEB_USERNAME": WEB_USER} if "webPassword" in parts.secrets.arns else {})


def _drift_document(drift: DriftArgs, default_branch: str) -> str:
    """The projects and the schedule, as docker/isolation/isolation/drift/configuration.py reads them."""
    repositories: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in drift.drift_projects:
        found = PROJECT.fullmatch(entry)
        assert found is not None, entry  # noqa: S101 the setting accepts nothing else
        key = (found["repository"], found["branch"] or default_branch)
        repository = repositories.setdefault(key, {"repository": key[0], "branch": key[1]})
        if found["directory"]:
            directory = ":".join(filter(None, (found["directory"], found["workspace"])))
            repository.setdefault("directories", []).append(directory)
        elif found["project"]:
            repository.setdefault("projects", []).append(found["project"])
        else:
            repository["all"] = True
    schedule = {"dailyAt": drift.drift_daily_at} if drift.drift_daily_at else {"everyHours": drift.drift_every_hours}
    return json.dumps(
        {"repositories": list(repositories.values()), "schedule": schedule, "showPlan": drift.drift_show_plan}
    )
