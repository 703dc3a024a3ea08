"""An API for other teams in the VPC: an internal load balancer on HTTP, and an ECS service."""

import json

import pulumi_aws as aws

vpc = aws.ec2.Vpc("api", cidr_block="10.30.0.0/16")
subnets = [aws.ec2.Subnet(f"api-{index}", vpc_id=vpc.id, cidr_block=f"10.30.{index}.0/24") for index in range(2)]
edge = aws.ec2.SecurityGroup("edge", vpc_id=vpc.id, description="The load balancer")
tasks = aws.ec2.SecurityGroup("tasks", vpc_id=vpc.id, description="The tasks")
aws.vpc.SecurityGroupIngressRule(
    "edge", security_group_id=edge.id, ip_protocol="tcp", from_port=80, to_port=80, cidr_ipv4=vpc.cidr_block
)
aws.vpc.SecurityGroupIngressRule(
    "tasks",
    security_group_id=tasks.id,
    ip_protocol="tcp",
    from_port=8080,
    to_port=8080,
    referenced_security_group_id=edge.id,
)
balancer = aws.lb.LoadBalancer(
    "api", internal=True, security_groups=[edge.id], subnets=[subnet.id for subnet in subnets]
)
target = aws.lb.TargetGroup("api", port=8080, protocol="HTTP", target_type="ip", vpc_id=vpc.id)
listener = aws.lb.Listener(
    "api",
    load_balancer_arn=balancer.arn,
    port=80,
    protocol="HTTP",
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
)
aws.lb.ListenerRule(
    "v2",
    listener_arn=listener.arn,
    actions=[{"type": "forward", "target_group_arn": target.arn}],
    conditions=[{"path_pattern": {"values": ["/v2/*"]}}],
)
task = aws.ecs.TaskDefinition(
    "api", family="api", container_definitions=json.dumps([{"name": "api", "image": "acme/api:1"}])
)
aws.ecs.Service(
    "api",
    task_definition=task.arn,
    desired_count=4,
    network_configuration={"subnets": [subnet.id for subnet in subnets], "security_groups": [tasks.id]},
    load_balancers=[{"target_group_arn": target.arn, "container_name": "api", "container_port": 8080}],
)
