"""The resources of a small stack of another user, in another account and region, as a Terraform state has them."""

import json
from collections.abc import Mapping
from typing import Any

ACCOUNT, REGION = "210987654321", "eu-west-1"
VPC, PUBLIC, PRIVATE = (
    "vpc-0aa0bb0cc0dd0ee01",
    ["subnet-0aa0bb0cc0dd0ee11", "subnet-0aa0bb0cc0dd0ee12"],
    ["subnet-0aa0bb0cc0dd0ee21", "subnet-0aa0bb0cc0dd0ee22"],
)
ALB, TASKS, EFS = "sg-0aa0bb0cc0dd0ee31", "sg-0aa0bb0cc0dd0ee32", "sg-0aa0bb0cc0dd0ee33"
FILE_SYSTEM, ACCESS_POINT = "fs-0aa0bb0cc0dd0ee41", "fsap-0aa0bb0cc0dd0ee42"
SECRET_VALUE = "not-for-anybodys-eyes"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


SECRET = arn("secretsmanager", "secret:atlantis-github-AbCdEf")
WEBHOOK = arn("secretsmanager", "secret:atlantis-webhook-GhIjKl")
TARGETS = arn("elasticloadbalancing", "targetgroup/atlantis-main/73e2d6bc24d8a067")
BALANCER = arn("elasticloadbalancing", "loadbalancer/app/atlantis/50dc6c495c0c9188")
HTTPS = arn("elasticloadbalancing", "listener/app/atlantis/50dc6c495c0c9188/f2f7dc8efc522ab2")
HTTP = arn("elasticloadbalancing", "listener/app/atlantis/50dc6c495c0c9188/a1b2c3d4e5f60718")
CERTIFICATE = arn("acm", "certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")
CLUSTER = arn("ecs", "cluster/atlantis")
TASK = arn("ecs", "task-definition/atlantis:12")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def container(**changes: Any) -> str:
    """Atlantis' container definitions."""
    definition = {
        "name": "atlantis",
        "image": "ghcr.io/runatlantis/atlantis:v0.35.0",
        "essential": True,
        "portMappings": [{"containerPort": 4141, "hostPort": 4141, "protocol": "tcp"}],
        "environment": [
            {"name": "ATLANTIS_ATLANTIS_URL", "value": "https://atlantis.example.org"},
            {"name": "ATLANTIS_REPO_ALLOWLIST", "value": "github.com/example/*"},
        ],
        "secrets": [
            {"name": "ATLANTIS_GH_APP_ID", "valueFrom": f"{SECRET}:app_id::"},
            {"name": "ATLANTIS_GH_APP_INSTALLATION_ID", "valueFrom": f"{SECRET}:installation_id::"},
            {"name": "ATLANTIS_GH_APP_KEY", "valueFrom": f"{SECRET}:private_key::"},
            {"name": "ATLANTIS_GH_WEBHOOK_SECRET", "valueFrom": f"{WEBHOOK}:webhook_secret::"},
        ],
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/home/atlantis", "readOnly": False}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "atlantis-logs", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"},
        },
    }
    return json.dumps([definition | changes])


def _rule(identity: str, group: str, port: int, **peer: str) -> Mapping[str, Any]:
    return {
        "id": identity,
        "security_group_rule_id": identity,
        "security_group_id": group,
        "ip_protocol": "tcp",
        "from_port": port,
        "to_port": port,
        "description": "of the module",
        **peer,
    }


def _group(identity: str, name: str) -> Mapping[str, Any]:
    return {"id": identity, "name": name, "description": "of the module", "vpc_id": VPC, "ingress": [], "egress": []}


def _role(name: str) -> Mapping[str, Any]:
    return {"id": name, "name": name, "arn": role_arn(name), "path": "/", "assume_role_policy": TRUST}


RESOURCES: tuple[tuple[str, Mapping[str, Any], tuple[str, ...]], ...] = (
    ("aws_security_group.alb", _group(ALB, "atlantis-alb-20250101"), ()),
    ("aws_security_group.tasks", _group(TASKS, "atlantis-tasks-20250101"), ()),
    ("aws_security_group.efs", _group(EFS, "atlantis-efs-20250101"), ()),
    (
        "aws_vpc_security_group_ingress_rule.alb_https",
        _rule("sgr-0aa0bb0cc0dd0ee51", ALB, 443, cidr_ipv4="203.0.113.0/24"),
        ("aws_security_group.alb",),
    ),
    (
        "aws_vpc_security_group_ingress_rule.efs",
        _rule("sgr-0aa0bb0cc0dd0ee52", EFS, 2049, referenced_security_group_id=TASKS),
        ("aws_security_group.efs", "aws_security_group.tasks"),
    ),
    (
        "aws_security_group_rule.tasks",
        {
            "id": "sgrule-1234567890",
            "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee53",
            "type": "ingress",
            "security_group_id": TASKS,
            "protocol": "tcp",
            "from_port": 4141,
            "to_port": 4141,
            "source_security_group_id": ALB,
            "cidr_blocks": [],
            "description": "older form",
        },
        ("aws_security_group.tasks", "aws_security_group.alb"),
    ),
    (
        "aws_efs_file_system.this",
        {
            "id": FILE_SYSTEM,
            "arn": arn("elasticfilesystem", f"file-system/{FILE_SYSTEM}"),
            "creation_token": "atlantis",
            "encrypted": True,
            "kms_key_id": arn("kms", "key/11111111-2222-4333-8444-555555555555"),
            "performance_mode": "generalPurpose",
            "throughput_mode": "bursting",
        },
        (),
    ),
    (
        "aws_efs_access_point.this",
        {
            "id": ACCESS_POINT,
            "arn": arn("elasticfilesystem", f"access-point/{ACCESS_POINT}"),
            "file_system_id": FILE_SYSTEM,
            "posix_user": [{"uid": 100, "gid": 1000, "secondary_gids": []}],
            "root_directory": [
                {
                    "path": "/atlantis",
                    "creation_info": [{"owner_uid": 100, "owner_gid": 1000, "permissions": "0750"}],
                }
            ],
        },
        ("aws_efs_file_system.this",),
    ),
    *(
        (
            f"aws_efs_mount_target.{zone}",
            {
                "id": f"fsmt-0aa0bb0cc0dd0ee6{number}",
                "file_system_id": FILE_SYSTEM,
                "subnet_id": subnet,
                "security_groups": [EFS],
                "availability_zone_name": f"{REGION}{zone}",
                "ip_address": f"10.0.2.{number}",
            },
            ("aws_efs_file_system.this", "aws_security_group.efs"),
        )
        for number, (zone, subnet) in enumerate(zip("ab", PRIVATE, strict=True))
    ),
    (
        "aws_cloudwatch_log_group.this",
        {
            "id": "atlantis-logs",
            "name": "atlantis-logs",
            "arn": arn("logs", "log-group:atlantis-logs"),
            "retention_in_days": 14,
        },
        (),
    ),
    (
        "aws_secretsmanager_secret.github",
        {"id": SECRET, "arn": SECRET, "name": "atlantis-github", "kms_key_id": ""},
        (),
    ),
    ("aws_secretsmanager_secret.webhook", {"id": WEBHOOK, "arn": WEBHOOK, "name": "atlantis-webhook"}, ()),
    (
        "aws_secretsmanager_secret_version.github",
        {"id": f"{SECRET}|1", "secret_id": SECRET, "secret_string": SECRET_VALUE},
        ("aws_secretsmanager_secret.github",),
    ),
    ("aws_iam_role.execution", _role("atlantis-execution-0123"), ()),
    ("aws_iam_role.tasks", _role("atlantis-tasks-0123"), ()),
    ("aws_ecs_cluster.this", {"id": CLUSTER, "arn": CLUSTER, "name": "atlantis"}, ()),
    (
        "aws_ecs_task_definition.this",
        {
            "id": "atlantis",
            "arn": TASK,
            "family": "atlantis",
            "revision": 12,
            "cpu": "1024",
            "memory": "2048",
            "network_mode": "awsvpc",
            "requires_compatibilities": ["FARGATE"],
            "execution_role_arn": role_arn("atlantis-execution-0123"),
            "task_role_arn": role_arn("atlantis-tasks-0123"),
            "runtime_platform": [{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}],
            "container_definitions": container(),
            "volume": [
                {
                    "name": "data",
                    "efs_volume_configuration": [
                        {
                            "file_system_id": FILE_SYSTEM,
                            "transit_encryption": "ENABLED",
                            "authorization_config": [{"access_point_id": ACCESS_POINT, "iam": "ENABLED"}],
                        }
                    ],
                }
            ],
        },
        (
            "aws_iam_role.execution",
            "aws_iam_role.tasks",
            "aws_efs_access_point.this",
            "aws_secretsmanager_secret.github",
            "aws_secretsmanager_secret.webhook",
        ),
    ),
    (
        "aws_ecs_service.this",
        {
            "id": arn("ecs", "service/atlantis/atlantis"),
            "name": "atlantis",
            "cluster": CLUSTER,
            "task_definition": TASK,
            "desired_count": 1,
            "deployment_maximum_percent": 100,
            "deployment_minimum_healthy_percent": 0,
            "capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0}],
            "load_balancer": [{"target_group_arn": TARGETS, "container_name": "atlantis", "container_port": 4141}],
            "network_configuration": [{"subnets": PRIVATE, "security_groups": [TASKS], "assign_public_ip": False}],
            "scheduling_strategy": "REPLICA",
        },
        ("aws_ecs_cluster.this", "aws_ecs_task_definition.this", "aws_lb_listener.https"),
    ),
)
