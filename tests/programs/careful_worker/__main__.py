"""A worker that reads files on EFS, by someone careful: little to find, and nothing that stops it.

It runs three tasks on one file system, and may: the mount is read-only.
"""

import json

import pulumi
import pulumi_aws as aws

ACCOUNT = "123456789012"
TAGS = {"Environment": "dev", "Owner": "research"}


def document(*statements: dict) -> str:
    """An IAM policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


vpc = aws.ec2.Vpc("worker", cidr_block="10.40.0.0/16", tags=TAGS)
subnet = aws.ec2.Subnet("worker", vpc_id=vpc.id, cidr_block="10.40.1.0/24", tags=TAGS)
tasks = aws.ec2.SecurityGroup("tasks", vpc_id=vpc.id, description="Workers", tags=TAGS)
store = aws.ec2.SecurityGroup("store", vpc_id=vpc.id, description="Files of the workers", tags=TAGS)
aws.vpc.SecurityGroupIngressRule(
    "nfs-from-tasks",
    security_group_id=store.id,
    referenced_security_group_id=tasks.id,
    ip_protocol="tcp",
    from_port=2049,
    to_port=2049,
    tags=TAGS,
)
files = aws.efs.FileSystem("files", encrypted=True, tags=TAGS)
aws.efs.BackupPolicy("files", file_system_id=files.id, backup_policy={"status": "ENABLED"})
aws.efs.FileSystemPolicy(
    "files",
    file_system_id=files.id,
    policy=document(
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ),
)
mount = aws.efs.MountTarget("files", file_system_id=files.id, subnet_id=subnet.id, security_groups=[store.id])
role = aws.iam.Role(
    "worker",
    assume_role_policy=document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ),
    tags=TAGS,
)
cluster = aws.ecs.Cluster("worker", settings=[{"name": "containerInsights", "value": "enabled"}], tags=TAGS)
logs = aws.cloudwatch.LogGroup("worker", name="worker", retention_in_days=30, tags=TAGS)
task = aws.ecs.TaskDefinition(
    "worker",
    family="worker",
    cpu="256",
    memory="512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    volumes=[
        {
            "name": "files",
            "efs_volume_configuration": {"file_system_id": files.id, "transit_encryption": "ENABLED"},
        }
    ],
    container_definitions=json.dumps(
        [
            {
                "name": "worker",
                "image": "public.ecr.aws/docker/library/python:3.13-slim",
                "user": "1000",
                "readonlyRootFilesystem": True,
                "mountPoints": [{"sourceVolume": "files", "containerPath": "/files", "readOnly": True}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "worker",
                        "awslogs-region": "ap-northeast-2",
                        "awslogs-stream-prefix": "worker",
                    },
                },
            }
        ]
    ),
    tags=TAGS,
)
aws.ecs.Service(
    "worker",
    cluster=cluster.arn,
    desired_count=3,
    launch_type="FARGATE",
    task_definition=task.arn,
    network_configuration={"subnets": [subnet.id], "security_groups": [tasks.id], "assign_public_ip": False},
    tags=TAGS,
    opts=pulumi.ResourceOptions(depends_on=[mount]),
)
