"""A website on Fargate as quick starts build it: open to everyone, plain HTTP, three tasks with public addresses."""

import json

import pulumi
import pulumi_aws as aws

vpc = aws.ec2.Vpc("site", cidr_block="10.20.0.0/16")
zones = aws.get_availability_zones().names
subnets = [
    aws.ec2.Subnet(f"site-{index}", vpc_id=vpc.id, cidr_block=f"10.20.{index}.0/24", availability_zone=zones[index])
    for index in range(2)
]
group = aws.ec2.SecurityGroup("web", vpc_id=vpc.id, description="HTTP from everywhere")
aws.vpc.SecurityGroupIngressRule(
    "web-http", security_group_id=group.id, ip_protocol="tcp", from_port=80, to_port=80, cidr_ipv4="0.0.0.0/0"
)
balancer = aws.lb.LoadBalancer("web", security_groups=[group.id], subnets=[subnet.id for subnet in subnets])
target = aws.lb.TargetGroup("web", port=80, protocol="HTTP", target_type="ip", vpc_id=vpc.id)
listener = aws.lb.Listener(
    "web",
    load_balancer_arn=balancer.arn,
    port=80,
    protocol="HTTP",
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
)
role = aws.iam.Role(
    "task",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
)
cluster = aws.ecs.Cluster("web")
task = aws.ecs.TaskDefinition(
    "web",
    family="web",
    cpu="256",
    memory="512",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    execution_role_arn=role.arn,
    container_definitions=json.dumps(
        [{"name": "web", "image": "nginx", "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]}]
    ),
)
aws.ecs.Service(
    "web",
    cluster=cluster.arn,
    desired_count=3,
    launch_type="FARGATE",
    task_definition=task.arn,
    network_configuration={
        "assign_public_ip": True,
        "subnets": [subnet.id for subnet in subnets],
        "security_groups": [group.id],
    },
    load_balancers=[{"target_group_arn": target.arn, "container_name": "web", "container_port": 80}],
    opts=pulumi.ResourceOptions(depends_on=[listener]),
)
pulumi.export("url", pulumi.Output.concat("http://", balancer.dns_name))
