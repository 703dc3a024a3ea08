"""The shop of a travel agency called Atlantis: several tasks that share pictures on EFS."""

import json

import pulumi_aws as aws

files = aws.efs.FileSystem("pictures", encrypted=True)
condition = {"Bool": {"aws:SecureTransport": "false"}}
policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": condition}]}
aws.efs.FileSystemPolicy("pictures", file_system_id=files.id, policy=json.dumps(policy))
container = {
    "name": "atlantis-tours-web",
    "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/atlantis-tours-web:7",
    "environment": [{"name": "ATLANTIS_TOURS_LOCALE", "value": "en"}],
    "mountPoints": [{"sourceVolume": "pictures", "containerPath": "/pictures"}],
}
task = aws.ecs.TaskDefinition(
    "atlantis-tours-web",
    family="atlantis-tours-web",
    container_definitions=json.dumps([container]),
    volumes=[
        {"name": "pictures", "efs_volume_configuration": {"file_system_id": files.id, "transit_encryption": "ENABLED"}}
    ],
)
service = aws.ecs.Service("atlantis-tours-web", name="atlantis-tours-web", task_definition=task.arn, desired_count=6)
aws.appautoscaling.Target(
    "web",
    service_namespace="ecs",
    scalable_dimension="ecs:service:DesiredCount",
    resource_id=service.name.apply(lambda name: f"service/default/{name}"),
    min_capacity=2,
    max_capacity=20,
)
