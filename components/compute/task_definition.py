"""The task definitions: of the server, and of the workers."""

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..parts import Parts
from ..permissions.permissions import Permissions
from ..settings.extra_containers import ExtraContainerArgs
from ..settings.outbound import OutboundArgs
from ..settings.workers import WorkerGroup
from . import outbound, task_protection, workers
from .container import NO_CAPABILITIES, SIDECAR, TaskLogs, awslogs, image_of, secrets, variables
from .server_container import DATA_VOLUME, WORKERS_VOLUME, server_container

NFS = 2049
LARGEST = 65536
"""Bytes that a task definition can have."""
EXTRA_STOP_TIMEOUT = 30
"""Seconds, ECS' default. The operator's containers stop together with the server's, which has a separate one."""
FREE_STORAGE = 20
"""GiB that Fargate provides by default. It accepts only larger sizes."""


def server_task(
    name: str, parts: Parts, roles: Permissions, logs: TaskLogs, *, opts: pulumi.ResourceOptions
) -> aws.ecs.TaskDefinition:
    """The server's task, with the containers that the settings ask for."""
    task, isolates = parts.settings.task, parts.settings.terraform.isolates
    # CPU units are set only where other containers have some.
    of_side = 0
    if task.extra_containers:
        of_side = workers.agent_cpu(task.own_cpu) if isolates else task_protection.CPU
    side = (workers.agent if isolates else task_protection.container)(parts, logs, cpu=of_side)
    data: aws.ecs.TaskDefinitionVolumeArgsDict = {
        "name": DATA_VOLUME,
        "efs_volume_configuration": {
            "file_system_id": parts.storage.file_system_id,
            "transit_encryption": "ENABLED",
            "transit_encryption_port": NFS,
            "authorization_config": {"access_point_id": parts.storage.access_point_id, "iam": "ENABLED"},
        },
    }
    return _task_definition(
        name,
        parts,
        family=parts.context.names.base,
        role_arns=(roles.execution_role_arn, roles.task_role_arn),
        size=(task.cpu, task.memory, task.ephemeral_storage),
        volumes=[data, *([{"name": WORKERS_VOLUME}] if isolates else ())],  # pyright: ignore[reportArgumentType]
        containers=[
            server_container(parts, logs, cpu=task.own_cpu - of_side if task.extra_containers else 0),
            side,
            *_certificates(parts, logs),
            *(
                extra_container(
                    each, parts.settings.outbound, awslogs(logs.group, parts.context.names.region, each.name)
                )
                for each in task.extra_containers
            ),
        ],
        opts=opts,
    )


def worker_task(
    name: str, parts: Parts, roles: Permissions, group: WorkerGroup, logs: TaskLogs, *, opts: pulumi.ResourceOptions
) -> aws.ecs.TaskDefinition:
    """The task of the workers of a kind."""
    return _task_definition(
        name,
        parts,
        family=parts.context.names.workers(group.role),
        role_arns=(roles.execution_role_arn, roles.worker_role_arns[group.role]),
        size=(group.cpu, group.memory, group.ephemeral_storage),
        volumes=workers.volumes(),
        containers=[*workers.containers(parts, group, logs), *_certificates(parts, logs)],
        opts=opts,
    )


def _certificates(parts: Parts, logs: TaskLogs) -> list[Mapping[str, object]]:
    certificates, region = parts.settings.outbound.ca_certificates, parts.context.names.region
    if certificates is None:
        return []
    return [outbound.container(certificates, image=image_of(parts), log_group=logs.group, region=region)]


def extra_container(each: ExtraContainerArgs, outward: OutboundArgs, log: Mapping[str, object]) -> Mapping[str, object]:
    """A container of the operator's: hardened as the stack's, without a port, and without a volume except the certificates."""
    definition: dict[str, object] = {
        "name": each.name,
        "image": each.image,
        "cpu": each.cpu,
        "memory": each.memory,
        **SIDECAR,
        "user": each.user,
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": list(each.entry_point),
        "command": list(each.command),
        "environment": variables(each.environment),
        "secrets": secrets(each.secrets),
        "mountPoints": outbound.mounts(outward),
        "dependsOn": outbound.dependencies(outward),
        "stopTimeout": EXTRA_STOP_TIMEOUT,
        "logConfiguration": log,
    }
    return {key: value for key, value in definition.items() if value != []}


def _task_definition(
    name: str,
    parts: Parts,
    *,
    family: str,
    role_arns: tuple[pulumi.Input[str], pulumi.Input[str]],
    size: tuple[int, int, int],
    volumes: Sequence[aws.ecs.TaskDefinitionVolumeArgsDict],
    containers: Sequence[Mapping[str, object]],
    opts: pulumi.ResourceOptions,
) -> aws.ecs.TaskDefinition:
    """`role_arns`: the execution role and the task role. `size`: CPU units, MiB of memory, and GiB of disk."""
    (execution_role_arn, task_role_arn), (cpu, memory, storage) = role_arns, size
    return aws.ecs.TaskDefinition(
        name,
        family=family,
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(cpu),
        memory=str(memory),
        ephemeral_storage={"size_in_gib": storage} if storage > FREE_STORAGE else None,
        runtime_platform={
            "operating_system_family": "LINUX",
            "cpu_architecture": parts.settings.task.cpu_architecture,
        },
        execution_role_arn=execution_role_arn,
        task_role_arn=task_role_arn,
        volumes=[*volumes, *outbound.volumes(parts.settings.outbound)],
        container_definitions=_fitting(containers),
        tags=parts.context.tags,
        opts=opts,
    )


def _fitting(definitions: Sequence[Mapping[str, object]]) -> pulumi.Output[str]:
    """`definitions` as JSON. What is known is checked at once, the rest when it becomes known.

    Raises:
        pulumi.RunError: ECS would refuse the task definition.
    """
    _require_fit([json.dumps(each, default=lambda _output: "") for each in definitions], definitions)

    def fitting(known: Sequence[str]) -> str:
        _require_fit(known, definitions)
        return f"[{', '.join(known)}]"

    return pulumi.Output.all(*(pulumi.Output.json_dumps(each) for each in definitions)).apply(fitting)


def _require_fit(documents: Sequence[str], definitions: Sequence[Mapping[str, object]]) -> None:
    sizes = [len(document.encode()) for document in documents]
    if sum(sizes) > LARGEST:
        listed = ", ".join(f"{each['name']} {size}" for each, size in zip(definitions, sizes, strict=True))
        raise pulumi.RunError(
            f"The containers of the task definition have {sum(sizes)} bytes, and ECS accepts {LARGEST}: {listed}. repoConfigFile, "
            "serverConfigFile, environmentVariables, driftProjects, caCertificates and extraContainers make it long"
        )
