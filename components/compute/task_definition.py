"""The task definition: the server's container, and those in addition to it."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from . import drift, extra_containers, isolation, outbound, task_protection
from .inputs import ComputeInputs
from .isolation import IsolationInputs
from .outbound import CertificatesInputs
from .server_container import (
    CONTAINER,
    DATA_DIRECTORY,
    DATA_VOLUME,
    IMAGE_GROUP,
    ServerContainerInputs,
    server_container,
    vcs_secrets,
)
from .task_protection import TaskProtectionInputs

NFS = 2049
LARGEST = 65536
"""Bytes that a task definition can have."""


@dataclasses.dataclass(frozen=True)
class TaskLogs:
    """The names of the log groups that the containers write to."""

    group: pulumi.Input[str]
    agent_group: pulumi.Input[str] | None
    """The group of the container `agent` with drift detection."""


def task_definition(
    name: str, args: ComputeInputs, logs: TaskLogs, opts: pulumi.ResourceOptions
) -> aws.ecs.TaskDefinition:
    """The task definition, with the containers that the settings ask for."""
    return aws.ecs.TaskDefinition(
        name,
        family=args.context.names.base,
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(args.task.cpu),
        memory=str(args.task.memory),
        # Fargate provides 20 GiB by default, and accepts only larger sizes here.
        ephemeral_storage={"size_in_gib": args.task.ephemeral_storage} if args.task.ephemeral_storage > 20 else None,
        runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": args.task.cpu_architecture},
        execution_role_arn=args.execution_role_arn,
        task_role_arn=args.task_role_arn,
        volumes=[
            {
                "name": DATA_VOLUME,
                "efs_volume_configuration": {
                    "file_system_id": args.file_system_id,
                    "transit_encryption": "ENABLED",
                    "transit_encryption_port": NFS,
                    "authorization_config": {"access_point_id": args.access_point_id, "iam": "ENABLED"},
                },
            },
            *(isolation.volumes() if args.terraform.isolates else ()),
            *outbound.volumes(args.outbound),
        ],
        container_definitions=_fitting(_containers(args, logs)),
        tags=args.context.tags,
        opts=opts,
    )


def _containers(args: ComputeInputs, logs: TaskLogs) -> list[Mapping[str, object]]:
    region = args.context.names.region
    definitions = [server_container(_server(args, logs))]
    if args.terraform.isolates:
        definitions += isolation.containers(_isolation(args, logs))
    else:
        definitions.append(task_protection.container(_protection(args, logs)))
    if (certificates := args.outbound.ca_certificates) is not None:
        definitions.append(
            outbound.container(
                CertificatesInputs(certificates=certificates, image=_image(args), log_group=logs.group, region=region)
            )
        )
    return definitions + extra_containers.containers(
        args.task.extra_containers, args.outbound, log_group=logs.group, region=region
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


def _image(args: ComputeInputs) -> pulumi.Input[str]:
    task = args.task
    return task.image or pulumi.Output.concat(args.repository_url, ":", task.image_tag)


def _server(args: ComputeInputs, logs: TaskLogs) -> ServerContainerInputs:
    return ServerContainerInputs(
        context=args.context,
        settings=args.server,
        configuration=args.configuration,
        value_from=args.value_from,
        cpu=_server_cpu(args),
        stop_timeout=args.task.stop_timeout,
        image=_image(args),
        url=args.url,
        container_port=args.task.container_port,
        posix_uid=args.posix_uid,
        vcs=args.vcs,
        repository_host=args.repository_host,
        credentials_secret_arn=args.credentials_secret_arn,
        webhook_secret_arn=args.webhook_secret_arn,
        web_password_secret_arn=args.web_password_secret_arn,
        locking_database=args.locking_database,
        log_group_name=logs.group,
        isolates=args.terraform.isolates,
        api_secret_arn=args.api_secret_arn,
        outbound=args.outbound,
        outbound_environment=_outbound(args),
    )


def _server_cpu(args: ComputeInputs) -> int:
    """Without isolation, the server has what the others leave, and nothing is set where no other container has a share."""
    if args.terraform.isolates:
        return isolation.cpu_units(CONTAINER, args.task.own_cpu)
    return args.task.own_cpu - task_protection.CPU if args.task.extra_containers else 0


def _outbound(args: ComputeInputs) -> Mapping[str, str]:
    return outbound.environment(args.outbound, args.context.names, args.vpc_endpoints)


def _isolation(args: ComputeInputs, logs: TaskLogs) -> IsolationInputs:
    return IsolationInputs(
        names=args.context.names,
        image=_image(args),
        server_user=f"{args.posix_uid}:{IMAGE_GROUP}",
        data_directory=DATA_DIRECTORY,
        port=args.task.container_port,
        cpu=args.task.own_cpu,
        memory=args.task.own_memory,
        ephemeral_storage=args.task.ephemeral_storage,
        stop_timeout=args.task.stop_timeout,
        github_hostname=args.server.github_hostname,
        github_app_secrets=vcs_secrets(args.vcs, args.credentials_secret_arn),
        module_repositories=args.terraform.module_repositories,
        repository_roles=args.terraform.roles_of_repositories,
        log_group=logs.group,
        agent_environment=drift.agent_environment(args) if args.drift.enabled else {},
        agent_secrets=drift.agent_secrets(args) if args.drift.enabled else {},
        agent_log_group=logs.agent_group or logs.group,
        outbound=args.outbound,
        outbound_environment=_outbound(args),
    )


def _protection(args: ComputeInputs, logs: TaskLogs) -> TaskProtectionInputs:
    return TaskProtectionInputs(
        image=_image(args),
        user=f"{args.posix_uid}:{IMAGE_GROUP}",
        port=args.task.container_port,
        log_group=logs.group,
        region=args.context.names.region,
        cpu=task_protection.CPU if args.task.extra_containers else 0,
    )
