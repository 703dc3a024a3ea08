"""The settings of the running stack, read from the state, starting at the service."""

import re
from collections.abc import Iterator
from typing import Any

from adoption.anatomy import Anatomy
from adoption.proposal import DEFAULTS, Proposal
from adoption.rights import attachable, policies_of, statements
from adoption.running_containers import proposed_containers
from adoption.running_ingress import ingress
from adoption.running_secrets import secrets
from adoption.running_vcs import vcs, vcs_kind
from components.settings.accepted import VPC_ENDPOINTS
from preflight.aws import listed


def running_settings(anatomy: Anatomy, notes: list[str], given_kind: Any = None) -> Iterator[Proposal]:
    """The settings that the running stack determines. Differences that no setting covers are added to `notes`.

    `given_kind` is the stack file's `vcsKind`, which counts if the server has credentials for several hosts.
    """
    kind = vcs_kind(anatomy, given_kind)
    yield from _names(anatomy)
    yield from _network(anatomy, notes)
    yield from ingress(anatomy)
    yield from _storage(anatomy, notes)
    yield from vcs(anatomy, kind)
    yield from secrets(anatomy, kind, notes)
    yield from _task(anatomy, notes)
    yield from proposed_containers(anatomy)
    yield from _rights(anatomy, notes)


def _names(anatomy: Anatomy) -> Iterator[Proposal]:
    name = anatomy.base_name
    environment = name.removeprefix("atlantis-")
    if name.startswith("atlantis-") and environment:
        yield Proposal(
            "environment", environment, f"the {'service' if anatomy.existing.cluster_name else 'cluster'} is {name}"
        )
        yield Proposal("baseName", None, "the running names are those of the environment")
    else:
        yield Proposal("baseName", name, "the name of the cluster, service and load balancer, which can't be changed")
    options = (anatomy.container.get("logConfiguration") or {}).get("options") or {}
    group = anatomy.state.find(options.get("awslogs-group", ""), "aws_cloudwatch_log_group")
    if group is not None:
        yield Proposal("logGroupName", group.id, "keeps the existing log group")
        if group.get("retention_in_days"):
            yield Proposal("logRetentionDays", group.attributes["retention_in_days"], "the retention of the log group")


def _network(anatomy: Anatomy, notes: list[str]) -> Iterator[Proposal]:
    target_group = anatomy.target_group
    if target_group is None:
        notes.append("The service has no target group in this state: a new load balancer is created")
    vpc = (target_group.get("vpc_id") if target_group else None) or _vpc_of_tasks(anatomy)
    if vpc:
        yield Proposal("vpcId", vpc, "the VPC of the running stack")
    subnets = anatomy.network.get("subnets") or []
    mounted = _mounted_subnets(anatomy)
    if subnets:
        # In the order of the mount targets, so that a comparison doesn't report a different order of either list.
        ordered = [*(item for item in mounted if item in subnets), *sorted(set(subnets) - set(mounted))]
        yield Proposal("privateSubnetIds", ordered, "the task's subnets")
    if anatomy.load_balancer is not None:
        internal = bool(anatomy.load_balancer.get("internal"))
        yield Proposal("loadBalancerScheme", "internal" if internal else "internet-facing", "the load balancer's own")
        # The program's internal load balancer is in the private subnets.
        if not internal and not anatomy.existing.listener_arn:
            public = sorted(anatomy.load_balancer.items_of("subnets"))
            yield Proposal("publicSubnetIds", public, "the load balancer's subnets")
        kind = anatomy.load_balancer.get("ip_address_type")
        yield Proposal("ipAddressType", kind or "ipv4", "the load balancer's own")
    existing = {
        endpoint.attributes["service_name"].partition(f".{anatomy.region}.")[2]
        for endpoint in anatomy.state.of("aws_vpc_endpoint")
        if endpoint.get("vpc_id") == vpc and endpoint.get("service_name")
    }
    yield Proposal(
        "vpcEndpoints",
        [name for name in VPC_ENDPOINTS if name in existing],
        "those that the stack has; a service has one private name for each VPC",
    )


def _vpc_of_tasks(anatomy: Anatomy) -> str | None:
    groups = [anatomy.state.find(group, "aws_security_group") for group in anatomy.network.get("security_groups") or []]
    return next((group.get("vpc_id") for group in groups if group), None)


def _mounted_subnets(anatomy: Anatomy) -> list[str]:
    system = anatomy.file_system
    targets = anatomy.state.of("aws_efs_mount_target") if system else ()
    mounted = [target.get("subnet_id") for target in targets if system and target.get("file_system_id") == system.id]
    return list(filter(None, mounted))


def _storage(anatomy: Anatomy, notes: list[str]) -> Iterator[Proposal]:
    if anatomy.file_system is None:
        notes.append(
            "The task mounts no file system, so its data is lost with it. A new file system is created: plan open pull requests again"
        )
        return
    if (mode := anatomy.file_system.get("throughput_mode")) in ("bursting", "elastic"):
        yield Proposal("efsThroughputMode", mode, "the file system's own, which EFS changes once a day")
    key = anatomy.file_system.get("kms_key_id") or ""
    own = anatomy.state.find(key, "aws_kms_key") if key else None
    yield Proposal(
        "efsEncryptionKey",
        "customer" if own else "aws",
        "the file system is encrypted under a key of the stack" if own else "another key replaces the file system",
    )
    if anatomy.access_point is None:
        directory = anatomy.volume.get("root_directory") or "/"
        notes.append(
            f"The task mounts {directory} without an access point: one is made, whose directory is efsRootDirectory. Move the files "
            "there, or let open pull requests plan again; the old files stay where they are"
        )
        return
    authorization = (anatomy.volume.get("authorization_config") or [{}])[0]
    if anatomy.volume.get("transit_encryption") != "ENABLED" or authorization.get("iam") != "ENABLED":
        notes.append(
            "The running task mounts the file system without TLS or IAM authorization, which the program's file system policy refuses. The "
            "old task loses its data directory as soon as the policy exists: stop the service before the first `up`"
        )
    user = anatomy.access_point.first("posix_user")
    root = anatomy.access_point.first("root_directory")
    another = "another value would replace the access point"
    if user:
        yield Proposal("posixUid", user.get("uid"), another)
        yield Proposal("posixGid", user.get("gid"), another)
    yield Proposal("efsRootDirectory", root.get("path"), another)


def _task(anatomy: Anatomy, notes: list[str]) -> Iterator[Proposal]:
    environment, task = anatomy.environment, anatomy.task
    image = str(anatomy.container.get("image", ""))
    repository = next(
        (
            found
            for found in anatomy.state.of("aws_ecr_repository")
            if image.startswith(f"{found.get('repository_url')}:") and found.id == "atlantis"
        ),
        None,
    )
    same_server = "the running version: upgrade after the adoption"
    tag = image.rpartition(":")[2]
    if repository is not None and _older(tag, DEFAULTS["imageTag"]):
        notes.append(
            f"The repository's image {tag} runs, and this program is for {DEFAULTS['imageTag']} or newer: push that before the first "
            "`up` (docs/aws.md, step 4), and name its tag in imageTag"
        )
    elif repository is not None and "@" not in image:
        yield Proposal("imageTag", tag, same_server)
        yield Proposal("image", None, "the image is in the stack's own repository")
    elif image:
        yield Proposal("image", image, same_server)
    for key, variable in {
        "url": "ATLANTIS_ATLANTIS_URL",
        "repoAllowlist": "ATLANTIS_REPO_ALLOWLIST",
        "logLevel": "ATLANTIS_LOG_LEVEL",
    }.items():
        if environment.get(variable):
            yield Proposal(key, environment[variable], f"{variable} of the task")
    for key in ("cpu", "memory"):
        if (size := str(task.get(key) or "")).isdigit():
            yield Proposal(key, int(size), "the task's size")
    if (timeout := anatomy.container.get("stopTimeout")) and isinstance(timeout, int):
        yield Proposal("stopTimeout", timeout, "the running container's")
    size = task.first("ephemeral_storage").get("size_in_gib")
    yield Proposal("ephemeralStorage", size or 20, "the running task's")
    architecture = task.first("runtime_platform").get("cpu_architecture")
    yield Proposal("cpuArchitecture", architecture or "X86_64", "the CPU architecture of the image")
    provider = anatomy.service.first("capacity_provider_strategy").get("capacity_provider")
    yield Proposal("capacityProvider", provider or "FARGATE", "the capacity provider of the service")
    if port := anatomy.service.first("load_balancer").get("container_port"):
        yield Proposal("containerPort", port, "the port that Atlantis listens on")


def _older(tag: str, other: str) -> bool:
    """Whether both are versions such as v0.47.1 and the first one is older."""
    versions = [re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", text) for text in (tag, other)]
    first, second = [tuple(map(int, found.groups())) if found else () for found in versions]
    return bool(first and second and first < second)


def _rights(anatomy: Anatomy, notes: list[str]) -> Iterator[Proposal]:
    """The state buckets, lock tables and roles that the task role can use, and its policies, which Terraform needs after the adoption."""
    policies = policies_of(anatomy)
    buckets: set[str] = set()
    tables: set[str] = set()
    roles: set[str] = set()
    # What an attached policy allows stays with the policy.
    for statement in (each for policy in policies if not policy.arn for each in statements(policy.document)):
        actions, resources = listed(statement.get("Action")), listed(statement.get("Resource"))
        if {"s3:PutObject", "s3:*"} & set(actions):
            buckets |= {
                found[1] for item in resources if (found := re.fullmatch(r"arn:[\w-]+:s3:::([^/]+)(/.*)?", item))
            }
        if {"dynamodb:PutItem", "dynamodb:*"} & set(actions):
            tables |= {found[1] for item in resources if (found := re.fullmatch(r"arn:.+:table/(.+)", item))}
        if {"sts:AssumeRole", "sts:*"} & set(actions) and statement.get("Effect") == "Allow":
            roles |= {item for item in resources if item.startswith("arn:")}
    for key, names in (
        ("terraformStateBuckets", buckets),
        ("terraformLockTables", tables),
        ("assumableRoleArns", roles),
    ):
        patterns = sorted(name for name in names if "*" in name)
        if patterns:
            notes.append(
                f"{key}: the task role may use {', '.join(patterns)}; name each one, as this program takes no patterns"
            )
        if exact := sorted(names - set(patterns)):
            yield Proposal(key, exact, "the task role can use them now")
    if attached := [policy.arn for policy in policies if policy.arn and attachable(policy.arn)]:
        yield Proposal(
            "additionalPolicyArns", attached, "attached to the running task role; Terraform keeps the policies"
        )
