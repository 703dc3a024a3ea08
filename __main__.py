"""Atlantis on AWS: the settings of one stack, the components they describe, and what operators need to know of them."""

import pulumi
import pulumi_aws as aws

from components import permissions_boundary
from components import settings as stack_settings
from components.alarms import Alarms, AlarmsArgs
from components.compute import Compute, ComputeArgs
from components.context import Context
from components.ingress import Ingress, IngressArgs
from components.locking import Locking, LockingArgs
from components.names import PhysicalNames
from components.network import Network, NetworkArgs
from components.permissions import Permissions, PermissionsArgs
from components.secrets import Secrets, SecretsArgs
from components.storage import Storage, StorageArgs
from components.vpc import ZONES, NewVpc, NewVpcArgs, existing_vpc

settings = stack_settings.read()
caller = aws.get_caller_identity()
partition = aws.get_partition()
names = PhysicalNames(
    environment=settings.environment,
    account=caller.account_id,
    region=settings.region,
    partition=partition.partition,
    dns_suffix=partition.dns_suffix,
)
context = Context(names=names, tags=settings.tags, deletion_protection=settings.deletion_protection)
deployers = settings.secret_reader_arns or [aws.iam.get_session_context(arn=caller.arn).issuer_arn]

if settings.managed_role_prefixes and not settings.permissions_boundary_arn:
    permissions_boundary.require_fit(
        names,
        settings.managed_role_prefixes,
        [
            settings.github_app_secret_name or names.github_app_secret,
            settings.webhook_secret_name or names.webhook_secret,
            names.redis_secret,
        ],
        subnets=len(settings.public_subnet_ids + settings.private_subnet_ids) or 2 * ZONES,
    )

allowed_cidr_blocks, webhook_cidr_blocks = settings.reaching_cidr_blocks
if settings.vpc_id:
    vpc = existing_vpc(settings.vpc_id, settings.public_subnet_ids, settings.private_subnet_ids)
else:
    vpc = NewVpc("vpc", NewVpcArgs(context=context, cidr_block=str(settings.vpc_cidr_block))).vpc

network = Network(
    "network",
    NetworkArgs(
        context=context,
        vpc=vpc,
        allowed_cidr_blocks=allowed_cidr_blocks,
        webhook_cidr_blocks=webhook_cidr_blocks,
        container_port=settings.container_port,
        vpc_endpoints=settings.vpc_endpoints,
        locking_database=settings.locking_database == "redis",
    ),
)
storage = Storage(
    "storage",
    StorageArgs(
        context=context,
        private_subnet_ids=vpc.private_subnet_ids,
        security_group_id=network.file_system_security_group_id,
        customer_key_on_file_system=settings.efs_encryption_key == "customer",
        posix_uid=settings.posix_uid,
        posix_gid=settings.posix_gid,
        root_directory=settings.efs_root_directory,
    ),
)
secrets = Secrets(
    "secrets",
    SecretsArgs(
        context=context,
        github_app_secret_name=settings.github_app_secret_name,
        webhook_secret_name=settings.webhook_secret_name,
        webhook_secret_generation=settings.webhook_secret_generation,
        webhook_secret_readers=deployers,
    ),
)
locking = None
if network.locking_security_group_id is not None:
    locking = Locking(
        "locking",
        LockingArgs(
            context=context,
            private_subnet_ids=vpc.private_subnet_ids,
            security_group_id=network.locking_security_group_id,
            node_type=settings.locking_node_type,
            password_generation=settings.locking_password_generation,
            password_readers=deployers,
        ),
    )
permissions = Permissions(
    "permissions",
    PermissionsArgs(
        context=context,
        secret_arns={
            "githubApp": secrets.github_app_secret_arn,
            "webhook": secrets.webhook_secret_arn,
            **({"locking": locking.database.password_secret_arn} if locking else {}),
        },
        secret_key_arns=[*secrets.key_arns, *([locking.key_arn] if locking else [])],
        file_system_arn=storage.file_system_arn,
        access_point_arn=storage.access_point_arn,
        terraform_state_buckets=settings.terraform_state_buckets,
        terraform_state_key_arns=settings.terraform_state_key_arns,
        terraform_lock_tables=settings.terraform_lock_tables,
        managed_role_prefixes=settings.managed_role_prefixes,
        deployer_arns=deployers,
        permissions_boundary_arn=settings.permissions_boundary_arn,
        security_group_ids=network.security_group_ids,
        closed_subnet_ids=[*vpc.public_subnet_ids, *vpc.private_subnet_ids],
    ),
)
ingress = Ingress(
    "ingress",
    IngressArgs(
        context=context,
        vpc_id=vpc.id,
        public_subnet_ids=vpc.public_subnet_ids,
        security_group_id=network.load_balancer_security_group_id,
        host=settings.host,
        acm_certificate_arn=settings.acm_certificate_arn,
        hosted_zone_id=settings.hosted_zone_id,
        ip_address_type=settings.ip_address_type,
        ssl_policy=settings.ssl_policy,
        web_acl_arn=settings.web_acl_arn,
        allowed_cidr_blocks=allowed_cidr_blocks,
        webhook_cidr_blocks=webhook_cidr_blocks,
    ),
)
compute = Compute(
    "compute",
    ComputeArgs(
        context=context,
        image=settings.image or pulumi.Output.concat(storage.repository_url, ":", settings.image_tag),
        cpu=settings.cpu,
        memory=settings.memory,
        cpu_architecture=settings.cpu_architecture,
        capacity_provider=settings.capacity_provider,
        desired_count=settings.desired_count,
        container_port=settings.container_port,
        posix_uid=settings.posix_uid,
        url=settings.url,
        repo_allowlist=settings.repo_allowlist,
        github_hostname=settings.github_hostname,
        log_level=settings.log_level,
        log_retention_days=settings.log_retention_days,
        github_app_secret_arn=secrets.github_app_secret_arn,
        webhook_secret_arn=secrets.webhook_secret_arn,
        locking_database=locking.database if locking else None,
        execution_role_arn=permissions.execution_role_arn,
        task_role_arn=permissions.task_role_arn,
        file_system_id=storage.file_system_id,
        access_point_id=storage.access_point_id,
        private_subnet_ids=vpc.private_subnet_ids,
        security_group_id=network.tasks_security_group_id,
        target_group_arn=ingress.target_group_arn,
        start_after=[
            *storage.mounts,
            *permissions.policies,
            *secrets.values,
            *ingress.routes,
            *([locking.password] if locking else []),
        ],
    ),
)
if settings.alarm_topic_arns and settings.desired_count:
    Alarms(
        "alarms",
        AlarmsArgs(
            context=context,
            topic_arns=settings.alarm_topic_arns,
            load_balancer_metric_name=ingress.load_balancer_metric_name,
            target_group_metric_name=ingress.target_group_metric_name,
            certificate_arn=ingress.certificate_arn,
            cluster_name=compute.cluster_name,
            service_name=compute.service_name,
            file_system_id=storage.file_system_id,
        ),
    )

for output, value in {
    "atlantis_url": settings.url,
    "atlantis_webhook_url": f"{settings.url}/events",
    "atlantis_ecr_repository_url": storage.repository_url,
    "atlantis_ecr_repository_arn": storage.repository_arn,
    "atlantis_ecs_cluster_id": compute.cluster_id,
    "atlantis_ecs_cluster_name": compute.cluster_name,
    "atlantis_ecs_service_name": compute.service_name,
    "atlantis_task_definition_arn": compute.task_definition_arn,
    "atlantis_task_definition_revision": compute.task_definition_revision,
    "atlantis_alb_dns_name": ingress.dns_name,
    "atlantis_alb_zone_id": ingress.zone_id,
    "atlantis_target_group_arn": ingress.target_group_arn,
    "atlantis_alb_security_group_id": network.load_balancer_security_group_id,
    "atlantis_ecs_tasks_security_group_id": network.tasks_security_group_id,
    "atlantis_ecs_task_execution_role_arn": permissions.execution_role_arn,
    "atlantis_ecs_task_role_arn": permissions.task_role_arn,
    "atlantis_efs_id": storage.file_system_id,
    "atlantis_efs_dns_name": storage.file_system_dns_name,
    "atlantis_efs_access_point_id": storage.access_point_id,
    "atlantis_cloudwatch_log_group_name": compute.log_group_name,
    "atlantis_cloudwatch_log_group_arn": compute.log_group_arn,
}.items():
    pulumi.export(output, value)
