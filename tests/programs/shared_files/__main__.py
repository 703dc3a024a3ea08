"""A content server whose tasks share files on EFS: no encryption, NFS open to the VPC, a password in clear."""

import json

import pulumi
import pulumi_aws as aws

PASSWORD = "let-me-in"

vpc = aws.ec2.Vpc("content", cidr_block="10.30.0.0/16")
subnet = aws.ec2.Subnet("content", vpc_id=vpc.id, cidr_block="10.30.1.0/24")
tasks = aws.ec2.SecurityGroup("tasks", vpc_id=vpc.id, description="Content servers")
files_group = aws.ec2.SecurityGroup("files", vpc_id=vpc.id, description="NFS")
aws.vpc.SecurityGroupIngressRule(
    "nfs-from-vpc",
    security_group_id=files_group.id,
    ip_protocol="tcp",
    from_port=2049,
    to_port=2049,
    cidr_ipv4="10.30.0.0/16",
)
files = aws.efs.FileSystem("files")
mount = aws.efs.MountTarget("files", file_system_id=files.id, subnet_id=subnet.id, security_groups=[files_group.id])
role = aws.iam.Role(
    "content",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
                }
            ],
        }
    ),
)
aws.iam.RolePolicy(
    "content",
    role=role.name,
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:*", "iam:PassRole"], "Resource": "*"}],
        }
    ),
)
task = aws.ecs.TaskDefinition(
    "content",
    family="content",
    cpu="512",
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    volumes=[{"name": "files", "efs_volume_configuration": {"file_system_id": files.id}}],
    container_definitions=json.dumps(
        [
            {
                "name": "content",
                "image": "wordpress:6.8",
                "user": "33:33",
                "environment": [{"name": "WORDPRESS_DB_PASSWORD", "value": PASSWORD}],
                "mountPoints": [{"sourceVolume": "files", "containerPath": "/var/www/html"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "content"}},
            }
        ]
    ),
)
aws.ecs.Service(
    "content",
    cluster="default",
    desired_count=2,
    launch_type="FARGATE",
    task_definition=task.arn,
    network_configuration={"subnets": [subnet.id], "security_groups": [tasks.id]},
    opts=pulumi.ResourceOptions(depends_on=[mount]),
)
aws.cloudwatch.LogGroup("content", name="content")
pulumi.export("databasePassword", PASSWORD)
