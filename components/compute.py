"""Compute: the one Atlantis task. Cluster, task definition, service and logs."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from .context import Context
from .encryption import CustomerKey, CustomerKeyArgs
from .locking import PASSWORD_KEY, LockingDatabase

CONTAINER = "atlantis"
DATA_VOLUME, DATA_DIRECTORY = "atlantis-data", "/home/atlantis/.atlantis"
IMAGE_GROUP = 1000
"""The group that the stock image's files belong to; its user is 100."""
NFS = 2049
STOP_TIMEOUT = 120
"""Seconds, the most that Fargate gives: a running apply is killed after it and leaves its state locked."""
FILE_DESCRIPTORS = 65536

REPO_CONFIG = json.dumps(
    {
        "repos": [
            {
                "id": "/.*/",
                "branch": "/^main$/",
                "plan_requirements": [],
                "apply_requirements": ["approved", "mergeable", "undiverged"],
                "import_requirements": ["approved", "mergeable", "undiverged"],
                "allowed_overrides": [],
                "allow_custom_workflows": False,
            }
        ]
    }
)
"""Atlantis' server-side rules: a pull request can neither loosen what an apply demands nor bring commands of its own."""


@dataclasses.dataclass(kw_only=True)
class ComputeArgs:
    """The task, what it is started with and where."""

    context: Context
    image: pulumi.Input[str]
    cpu: int
    """CPU units: 1024 are one vCPU."""
    memory: int
    """MiB."""
    cpu_architecture: str
    capacity_provider: str
    """FARGATE, or FARGATE_SPOT that AWS may stop at two minutes' notice."""
    desired_count: int
    """0 or 1: whatever holds the locks, two servers don't share a data directory for long."""
    container_port: int
    posix_uid: int
    url: str
    repo_allowlist: str
    github_hostname: str
    log_level: str
    log_retention_days: int
    github_app_secret_arn: pulumi.Input[str]
    webhook_secret_arn: pulumi.Input[str]
    locking_database: LockingDatabase | None
    """None keeps the locks in a file of the data directory, which one server at a time can open."""
    execution_role_arn: pulumi.Input[str]
    task_role_arn: pulumi.Input[str]
    file_system_id: pulumi.Input[str]
    access_point_id: pulumi.Input[str]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    start_after: Sequence[pulumi.Resource]
    """What a first task needs and no output tells: mount targets, listener rules, role policies, generated secrets."""


class Compute(pulumi.ComponentResource):
    """An ECS service that runs one Fargate task, never two."""

    cluster_id: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_definition_revision: pulumi.Output[int]
    log_group_name: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ComputeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Compute", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        log_group = self._log_group()
        cluster = self._cluster()
        capacity = self._capacity(cluster)
        task_definition = self._task_definition(log_group)
        service = self._service(cluster, capacity, task_definition)

        self.cluster_id = cluster.arn
        self.cluster_name = cluster.name
        self.service_name = service.name
        self.task_definition_arn = task_definition.arn
        self.task_definition_revision = task_definition.revision
        self.log_group_name = log_group.name
        self.log_group_arn = log_group.arn
        self.register_outputs({"clusterName": self.cluster_name, "serviceName": self.service_name})

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        args, names = self._args, self._args.context.names
        writes_logs = {
            "Sid": "EncryptLogs",
            "Effect": "Allow",
            "Principal": {"Service": names.via("logs")},
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": names.log_group_arn}},
        }
        key = CustomerKey(
            f"{self._name}-logs-key",
            CustomerKeyArgs(
                context=args.context,
                store="logs",
                description=f"Atlantis {names.environment}: the task's log",
                users=[writes_logs],
            ),
            self._child,
        )
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=names.log_group,
            kms_key_id=key.arn,
            retention_in_days=args.log_retention_days,
            tags=args.context.tags,
            opts=self._child,
        )

    def _cluster(self) -> aws.ecs.Cluster:
        return aws.ecs.Cluster(
            f"{self._name}-cluster",
            name=self._args.context.names.base,
            settings=[{"name": "containerInsights", "value": "enabled"}],
            tags=self._args.context.tags,
            opts=self._child,
        )

    def _capacity(self, cluster: aws.ecs.Cluster) -> aws.ecs.ClusterCapacityProviders:
        return aws.ecs.ClusterCapacityProviders(
            f"{self._name}-capacity",
            cluster_name=cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "weight": 1}],
            opts=self._child,
        )

    def _task_definition(self, log_group: aws.cloudwatch.LogGroup) -> aws.ecs.TaskDefinition:
        args = self._args
        return aws.ecs.TaskDefinition(
            f"{self._name}-task",
            family=args.context.names.base,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(args.cpu),
            memory=str(args.memory),
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": args.cpu_architecture},
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
                }
            ],
            container_definitions=pulumi.Output.json_dumps([self._container(log_group)]),
            tags=args.context.tags,
            opts=self._child,
        )

    def _container(self, log_group: aws.cloudwatch.LogGroup) -> Mapping[str, object]:
        args = self._args
        health = f"curl -f http://localhost:{args.container_port}/healthz || exit 1"
        return {
            "name": CONTAINER,
            "image": args.image,
            "essential": True,
            "user": f"{args.posix_uid}:{IMAGE_GROUP}",
            "privileged": False,
            # The stock image writes the credentials of git to its home, outside the volume: tokens stay off EFS.
            "readonlyRootFilesystem": False,
            "portMappings": [
                {"containerPort": args.container_port, "hostPort": args.container_port, "protocol": "tcp"}
            ],
            "environment": [{"name": key, "value": value} for key, value in sorted(self._environment().items())],
            "secrets": [{"name": key, "valueFrom": value} for key, value in sorted(self._secrets().items())],
            "mountPoints": [{"sourceVolume": DATA_VOLUME, "containerPath": DATA_DIRECTORY, "readOnly": False}],
            "healthCheck": {
                "command": ["CMD-SHELL", health],
                "interval": 30,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 60,
            },
            "stopTimeout": STOP_TIMEOUT,
            "ulimits": [{"name": "nofile", "softLimit": FILE_DESCRIPTORS, "hardLimit": FILE_DESCRIPTORS}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": log_group.name,
                    "awslogs-region": args.context.names.region,
                    "awslogs-stream-prefix": CONTAINER,
                },
            },
        }

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        args = self._args
        environment: dict[str, pulumi.Input[str]] = {
            "ATLANTIS_ATLANTIS_URL": args.url,
            "ATLANTIS_CHECKOUT_STRATEGY": "merge",
            "ATLANTIS_DATA_DIR": DATA_DIRECTORY,
            "ATLANTIS_GH_HOSTNAME": args.github_hostname,
            "ATLANTIS_LOG_LEVEL": args.log_level,
            "ATLANTIS_PORT": str(args.container_port),
            "ATLANTIS_REPO_ALLOWLIST": args.repo_allowlist,
            "ATLANTIS_REPO_CONFIG_JSON": REPO_CONFIG,
            "ATLANTIS_WRITE_GIT_CREDS": "true",
        }
        if args.locking_database:
            environment |= {
                "ATLANTIS_LOCKING_DB_TYPE": "redis",
                "ATLANTIS_REDIS_HOST": args.locking_database.host,
                "ATLANTIS_REDIS_PORT": str(args.locking_database.port),
                "ATLANTIS_REDIS_TLS_ENABLED": "true",
            }
        return environment

    def _secrets(self) -> dict[str, pulumi.Output[str]]:
        """References that ECS resolves when the task starts: ARN, JSON key, current version."""
        app, webhook = self._args.github_app_secret_arn, self._args.webhook_secret_arn
        secrets = {
            "ATLANTIS_GH_APP_ID": pulumi.Output.concat(app, ":app_id::"),
            "ATLANTIS_GH_APP_INSTALLATION_ID": pulumi.Output.concat(app, ":installation_id::"),
            "ATLANTIS_GH_APP_KEY": pulumi.Output.concat(app, ":private_key::"),
            "ATLANTIS_GH_WEBHOOK_SECRET": pulumi.Output.concat(webhook, ":webhook_secret::"),
        }
        if locking := self._args.locking_database:
            secrets["ATLANTIS_REDIS_PASSWORD"] = pulumi.Output.concat(locking.password_secret_arn, f":{PASSWORD_KEY}::")
        return secrets

    def _service(
        self, cluster: aws.ecs.Cluster, capacity: pulumi.Resource, task_definition: aws.ecs.TaskDefinition
    ) -> aws.ecs.Service:
        args = self._args
        return aws.ecs.Service(
            f"{self._name}-service",
            name=args.context.names.base,
            cluster=cluster.arn,
            task_definition=task_definition.arn,
            desired_count=args.desired_count,
            # With a lock file: stop, then start, as two servers on one data directory lock each other out. With a database:
            # start, then stop.
            deployment_minimum_healthy_percent=100 if args.locking_database else 0,
            deployment_maximum_percent=200 if args.locking_database else 100,
            deployment_controller={"type": "ECS"},
            deployment_circuit_breaker={"enable": True, "rollback": True},
            # AWS turns it on where it is left out, and refuses it with a maximum of 100 %; it would move the task at any time.
            availability_zone_rebalancing="DISABLED",
            capacity_provider_strategies=[{"capacity_provider": args.capacity_provider, "weight": 1}],
            platform_version="LATEST",
            network_configuration={
                "subnets": args.private_subnet_ids,
                "security_groups": [args.security_group_id],
                "assign_public_ip": False,
            },
            load_balancers=[
                {
                    "target_group_arn": args.target_group_arn,
                    "container_name": CONTAINER,
                    "container_port": args.container_port,
                }
            ],
            health_check_grace_period_seconds=60,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            enable_execute_command=False,
            tags=args.context.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[capacity, *args.start_after]),
        )
