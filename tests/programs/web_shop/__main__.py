"""A shop on Fargate and RDS: a load balancer behind CloudFront, WordPress with shared media, a replica, a cache."""

import json

import pulumi
import pulumi_aws as aws

TAGS = {"Environment": "dev", "Owner": "shop"}
CLOUDFRONT_PREFIX_LIST = "pl-4fa04526"  # com.amazonaws.global.cloudfront.origin-facing in eu-west-1
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
DATABASE_ADDRESS = "shop.cluster.eu-west-1.rds.amazonaws.com"

vpc = aws.ec2.Vpc("shop", cidr_block="10.60.0.0/16", tags=TAGS)
subnets = [
    aws.ec2.Subnet(f"shop-{index}", vpc_id=vpc.id, cidr_block=f"10.60.{index}.0/24", tags=TAGS) for index in range(2)
]


def group(name: str) -> aws.ec2.SecurityGroup:
    """A group without own rules."""
    return aws.ec2.SecurityGroup(name, vpc_id=vpc.id, description=f"The shop's {name}", tags=TAGS)


def admit(
    name: str,
    into: aws.ec2.SecurityGroup,
    port: int,
    *,
    prefix_list_id: pulumi.Input[str] | None = None,
    referenced_security_group_id: pulumi.Input[str] | None = None,
) -> None:
    """One ingress rule."""
    aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=into.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        prefix_list_id=prefix_list_id,
        referenced_security_group_id=referenced_security_group_id,
        tags=TAGS,
    )


edge, tasks, data, files_group = group("edge"), group("tasks"), group("data"), group("files")
admit("edge-from-cloudfront", edge, 443, prefix_list_id=CLOUDFRONT_PREFIX_LIST)
admit("tasks-from-edge", tasks, 80, referenced_security_group_id=edge.id)
admit("database-from-tasks", data, 5432, referenced_security_group_id=tasks.id)
admit("files-from-tasks", files_group, 2049, referenced_security_group_id=tasks.id)

balancer = aws.lb.LoadBalancer(
    "shop",
    security_groups=[edge.id],
    subnets=[subnet.id for subnet in subnets],
    drop_invalid_header_fields=True,
    enable_deletion_protection=True,
    tags=TAGS,
)
target = aws.lb.TargetGroup("shop", port=80, protocol="HTTP", target_type="ip", vpc_id=vpc.id, tags=TAGS)
listener = aws.lb.Listener(
    "https",
    load_balancer_arn=balancer.arn,
    port=443,
    protocol="HTTPS",
    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificate_arn=CERTIFICATE,
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
    tags=TAGS,
)
database = aws.rds.Instance(
    "orders",
    engine="postgres",
    instance_class="db.t4g.medium",
    allocated_storage=50,
    storage_encrypted=True,
    multi_az=True,
    manage_master_user_password=True,
    username="shop",
    backup_retention_period=14,
    deletion_protection=True,
    vpc_security_group_ids=[data.id],
    tags=TAGS,
)
aws.rds.Instance(
    "orders-replica",
    replicate_source_db=database.identifier,
    instance_class="db.t4g.medium",
    vpc_security_group_ids=[data.id],
    deletion_protection=True,
    tags=TAGS,
)
aws.elasticache.ReplicationGroup(
    "sessions",
    description="Sessions",
    engine="valkey",
    num_cache_clusters=2,
    automatic_failover_enabled=True,
    transit_encryption_enabled=True,
    security_group_ids=[data.id],
    tags=TAGS,
)
media = aws.efs.FileSystem("media", encrypted=True, tags=TAGS)
aws.efs.BackupPolicy("media", file_system_id=media.id, backup_policy={"status": "ENABLED"})
aws.efs.FileSystemPolicy(
    "media",
    file_system_id=media.id,
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                    "Resource": "*",
                    "Condition": {
                        "Bool": {"aws:SecureTransport": "true", "elasticfilesystem:AccessedViaMountTarget": "true"}
                    },
                }
            ],
        }
    ),
)
for index, subnet in enumerate(subnets):
    aws.efs.MountTarget(
        f"media-{index}", file_system_id=media.id, subnet_id=subnet.id, security_groups=[files_group.id]
    )
trust = json.dumps(
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
)
execution = aws.iam.Role("execution", assume_role_policy=trust, tags=TAGS)
cluster = aws.ecs.Cluster("shop", settings=[{"name": "containerInsights", "value": "enabled"}], tags=TAGS)
aws.cloudwatch.LogGroup("shop", name="shop", retention_in_days=30, tags=TAGS)
task = aws.ecs.TaskDefinition(
    "shop",
    family="shop",
    cpu="512",
    memory="1024",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=execution.arn,
    volumes=[
        {"name": "media", "efs_volume_configuration": {"file_system_id": media.id, "transit_encryption": "ENABLED"}}
    ],
    container_definitions=json.dumps(
        [
            {
                "name": "wordpress",
                "image": "wordpress:6.8",
                "user": "33:33",
                "readonlyRootFilesystem": True,
                "environment": [{"name": "WORDPRESS_DB_HOST", "value": DATABASE_ADDRESS}],
                "secrets": [
                    {"name": "WORDPRESS_DB_PASSWORD", "valueFrom": "arn:aws:secretsmanager:eu-west-1:1:secret:x"}
                ],
                "mountPoints": [{"sourceVolume": "media", "containerPath": "/var/www/html/wp-content/uploads"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "shop"}},
            }
        ]
    ),
    tags=TAGS,
)
service = aws.ecs.Service(
    "shop",
    name="shop",
    cluster=cluster.arn,
    desired_count=4,
    launch_type="FARGATE",
    task_definition=task.arn,
    network_configuration={"subnets": [subnet.id for subnet in subnets], "security_groups": [tasks.id]},
    load_balancers=[{"target_group_arn": target.arn, "container_name": "wordpress", "container_port": 80}],
    tags=TAGS,
    opts=pulumi.ResourceOptions(depends_on=[listener]),
)
aws.appautoscaling.Target(
    "shop",
    service_namespace="ecs",
    resource_id=pulumi.Output.concat("service/", cluster.name, "/", service.name),
    scalable_dimension="ecs:service:DesiredCount",
    min_capacity=2,
    max_capacity=10,
    tags=TAGS,
)
