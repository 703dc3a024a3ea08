"""Terraform in separate containers: the executors `plan` and `apply`, and the agent that serves them.

`docker/isolation/README.md` describes the programs and their paths, which the image has.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..names import REPOSITORY_TAG, PhysicalNames
from ..settings.outbound import OutboundArgs
from . import outbound
from .container_log import awslogs
from .container_privileges import BESIDE_THE_SERVER, NO_CAPABILITIES

__all__ = [
    "EXECUTORS",
    "IMAGE_LABEL",
    "IMAGE_VERSION",
    "IsolationInputs",
    "containers",
    "cpu_units",
    "server_mounts",
    "volumes",
]

PROGRAMS = "/opt/atlantis-isolation/bin"
SOCKETS = "/run/isolation"
EXECUTORS = ("plan", "apply")
AGENT = "agent"

IMAGE_LABEL, IMAGE_VERSION = "atlantis.isolation", "1"
"""Label of an image that has the programs, and the version of what the containers here expect of them."""

MEMORY_SHARE = {"plan": 0.5, "apply": 0.3}
"""Share of the task's memory. A plan that needs more is ended by the kernel, and the server and an apply go on."""

_CPU_SHARE = {"atlantis": 0.4, "apply": 0.3, "plan": 0.2, AGENT: 0.1}
"""Share of the task's CPU while all containers are busy. An idle container's share goes to the others."""
_DISK_SHARE = 0.25
"""Share of the task's disk that the copy of one checkout may have, with its providers and temporary files."""

# Docker's default capabilities that neither user switching nor file ownership needs. Fargate can drop capabilities, but not add.
_UNUSED_BY_EXECUTORS = ("AUDIT_WRITE", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT")
# The addresses lead to the task role. No process of the container has them after `exec`.
_START = (
    "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN "
    "ECS_CONTAINER_METADATA_URI ECS_CONTAINER_METADATA_URI_V4 ECS_AGENT_URI\n"
    f'exec {PROGRAMS}/executor "$@"'
)


@dataclasses.dataclass(kw_only=True)
class IsolationInputs:
    """The values that the containers share with the server's."""

    names: PhysicalNames
    image: pulumi.Input[str]
    server_user: str
    """`uid:gid` of the server's container, which may connect to the executors."""
    data_directory: str
    port: int
    """The server's port, for task protection."""
    cpu: int
    """CPU units of the task for the stack's containers."""
    memory: int
    """Memory of the task for the stack's containers in MiB."""
    ephemeral_storage: int
    """Disk of the task in GiB."""
    stop_timeout: int
    github_hostname: str
    github_app_secrets: Mapping[str, pulumi.Input[str]]
    """The App's secrets by variable: the agent gets tokens that read contents, for private modules."""
    module_repositories: Sequence[str]
    repository_roles: Sequence[tuple[str, str, str]]
    """Pattern, plan role and apply role of repositories that don't use the stack's roles."""
    log_group: pulumi.Input[str]
    agent_environment: Mapping[str, pulumi.Input[str]]
    """More variables of the agent, for drift detection."""
    agent_secrets: Mapping[str, pulumi.Input[str]]
    agent_log_group: pulumi.Input[str]
    outbound: OutboundArgs
    outbound_environment: Mapping[str, str]
    """The variables of each container for the proxy and the certificates."""


def volumes() -> list[aws.ecs.TaskDefinitionVolumeArgsDict]:
    """Volumes on the task's own disk, which end with the task."""
    return [{"name": f"{role}-{part}"} for role in EXECUTORS for part in ("socket", "broker", "work", "tmp")]


def server_mounts() -> list[dict[str, object]]:
    """What the server's container has of the executors: their sockets, read-only."""
    return [_mount(role, "socket", f"{SOCKETS}/{role}", read_only=True) for role in EXECUTORS]


def containers(args: IsolationInputs) -> list[Mapping[str, object]]:
    """The definitions of both executors and of the agent."""
    return [*(_executor(args, role) for role in EXECUTORS), _agent(args)]


def cpu_units(container: str, task: int) -> int:
    """The CPU units of a container in a task with `task` units: a busy plan doesn't take the server's."""
    return int(task * _CPU_SHARE[container])


def _executor(args: IsolationInputs, role: str) -> Mapping[str, object]:
    return {
        **_common(args, role, args.log_group),
        # It gives each checkout a separate user.
        "user": "0",
        "linuxParameters": {"capabilities": {"drop": list(_UNUSED_BY_EXECUTORS)}},
        # Below the task's memory, because a container that has all of it would take the server's.
        "memory": int(args.memory * MEMORY_SHARE[role]),
        # No health check: ECS would start it with the addresses that the first process removes.
        "entryPoint": ["/bin/sh", "-c", _START, "executor"],
        "command": [
            *(role, "--server-user", args.server_user),
            *("--largest-copy", str(int(args.ephemeral_storage * _DISK_SHARE * (1 << 30)))),
        ],
        "environment": _variables({"ATLANTIS_DATA_DIR": args.data_directory, **args.outbound_environment}),
        "mountPoints": [
            _mount(role, "socket", f"{SOCKETS}/{role}"),
            _mount(role, "broker", f"{SOCKETS}/{role}-broker", read_only=True),
            _mount(role, "work", f"{args.data_directory}/repos"),
            _mount(role, "tmp", "/tmp"),  # noqa: S108 a volume of this container alone
            *outbound.mounts(args.outbound),
        ],
        "stopTimeout": args.stop_timeout,
    }


def _agent(args: IsolationInputs) -> Mapping[str, object]:
    patterns = args.repository_roles
    plan = {"default": args.names.plan_role_arn, "patterns": [[pattern, arn] for pattern, arn, _ in patterns]}
    apply = {"default": args.names.apply_role_arn, "patterns": [[pattern, arn] for pattern, _, arn in patterns]}
    roles = {"plan": {**plan, "tag": REPOSITORY_TAG}, "apply": {**apply, "tag": REPOSITORY_TAG}}
    environment = {
        "ATLANTIS_GH_HOSTNAME": args.github_hostname,
        "ATLANTIS_PORT": str(args.port),
        "AWS_REGION": args.names.region,
        "ISOLATION_MODULE_REPOSITORIES": " ".join(args.module_repositories),
        "ISOLATION_ROLES": json.dumps(roles),
        **args.agent_environment,
        **args.outbound_environment,
    }
    secrets = {**args.github_app_secrets, **args.agent_secrets}
    return {
        **_common(args, AGENT, args.agent_log_group),
        # Root owns the volumes with its sockets; it needs no capability for them.
        "user": "0",
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": [f"{PROGRAMS}/agent"],
        "command": [],
        "environment": _variables(environment),
        "secrets": [{"name": name, "valueFrom": value} for name, value in sorted(secrets.items())],
        "mountPoints": [
            *(_mount(role, "broker", f"{SOCKETS}/{role}-broker") for role in EXECUTORS),
            *outbound.mounts(args.outbound),
        ],
        "stopTimeout": 10,
    }


def _common(args: IsolationInputs, name: str, log_group: pulumi.Input[str]) -> dict[str, object]:
    return {
        "name": name,
        "image": args.image,
        "cpu": cpu_units(name, args.cpu),
        # A start that can't work ends the server's container.
        **BESIDE_THE_SERVER,
        **({"dependsOn": waits} if (waits := outbound.dependencies(args.outbound)) else {}),
        "logConfiguration": awslogs(log_group, args.names.region, name),
    }


def _variables(variables: Mapping[str, pulumi.Input[str]]) -> list[dict[str, object]]:
    return [{"name": name, "value": value} for name, value in sorted(variables.items()) if value]


def _mount(role: str, part: str, path: str, *, read_only: bool = False) -> dict[str, object]:
    return {"sourceVolume": f"{role}-{part}", "containerPath": path, "readOnly": read_only}
